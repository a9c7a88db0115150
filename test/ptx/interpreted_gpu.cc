#include "interpreted_gpu.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>

#include "interpreter/tensor_boxes.h"

namespace tintype::ptx {

Program::Program(const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".ptx") continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    modules_.emplace_back(text.str());
  }
}

const Program& Program::in_folder(const std::string& folder) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<Program>> programs;
  const std::lock_guard lock(mutex);
  auto& program = programs[folder];
  if (!program) program.reset(new Program(folder));
  return *program;
}

const Kernel* Program::find(const std::string& name) const {
  for (const Module& module : modules_) {
    if (const Kernel* kernel = module.find(name)) return kernel;
  }
  return nullptr;
}

const Kernel& InterpretedGpu::kernel(const std::string& name) const {
  for (const Program* program : programs_) {
    if (const Kernel* found = program->find(name)) return *found;
  }
  throw Fault("no kernel " + name);
}

void check_launch(const cuda::Launch& launch, int architecture) {
  const size_t most = shared_bytes_of(architecture);
  if (launch.shared_bytes > most) {
    throw Fault(std::string(launch.kernel) + " wants " + std::to_string(launch.shared_bytes) +
                " bytes of shared memory, sm_" + std::to_string(architecture) + " has " +
                std::to_string(most));
  }
  if (launch.grid.y > 65535 || launch.grid.z > 65535)
    throw Fault(std::string(launch.kernel) + ": grid too large");
}

cuda::TensorMap InterpretedGpu::map(const cuda::BoxedTensor& tensor) {
  if (const char* wrong = wrong_with(tensor)) throw Fault(wrong);
  return make_map(tensor);
}

void InterpretedGpu::launch(const cuda::Launch& launch) {
  check_launch(launch, gpu_.architecture);
  launched_.push_back({launch.kernel, execute(kernel(launch.kernel), launch, memory_, options_)});
}

}  // namespace tintype::ptx
