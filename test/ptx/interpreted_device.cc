#include "interpreted_device.h"

#include <cstring>

#include "../../native/errors.h"

namespace tintype::ptx {

// Launches with copies of their arguments, as a captured graph has them.
class InterpretedDevice::Recorded final : public cuda::LaunchGraph {
 public:
  struct Entry {
    std::string kernel;
    std::vector<char> args;
    cuda::Launch launch;
    DType element;
  };
  std::vector<Entry> entries;
};

InterpretedDevice::InterpretedDevice(std::string folder, cuda::Gpu gpu, Options options)
    : folder_(std::move(folder)), gpu_(gpu), options_(options) {}

InterpretedDevice::~InterpretedDevice() = default;

void* InterpretedDevice::staging(size_t bytes) {
  if (staging_.size() < bytes) staging_.resize(bytes);
  return staging_.data();
}

void InterpretedDevice::upload(void* to, size_t bytes) {
  std::memcpy(to, staging_.data(), bytes);
}

void InterpretedDevice::download(void* to, const void* from, size_t bytes) {
  std::memcpy(to, from, bytes);
}

void InterpretedDevice::launch(const cuda::Launch& launch, DType element) {
  if (!recording_) return execute_now(launch, element);
  const char* args = static_cast<const char*>(launch.args);
  recording_->entries.push_back({launch.kernel, {args, args + launch.args_bytes}, launch, element});
}

void InterpretedDevice::begin_graph() {
  recording_ = std::make_unique<Recorded>();
}

std::unique_ptr<cuda::LaunchGraph> InterpretedDevice::end_graph() {
  return std::move(recording_);
}

void InterpretedDevice::replay(cuda::LaunchGraph& graph) {
  for (const Recorded::Entry& entry : static_cast<Recorded&>(graph).entries) {
    cuda::Launch launch = entry.launch;
    launch.kernel = entry.kernel.c_str();
    launch.args = entry.args.data();
    execute_now(launch, entry.element);
  }
}

void InterpretedDevice::execute_now(const cuda::Launch& launch, DType element) {
  const Program& program = Program::in_folder(folder_ + (element == DType::bf16 ? "/bf16" : "/f16"));
  check_launch(launch, gpu_.architecture);
  execute(program.kernel(launch.kernel), launch, memory_, options_);
}

}  // namespace tintype::ptx
