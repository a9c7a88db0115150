#include "planned_launch.h"

#include "../../kernels/cuda/table.h"
#include "../../native/decode.gen.h"

namespace tintype::ptx {

namespace {

class Recorder : public cuda::Launcher {
 public:
  explicit Recorder(const cuda::Gpu& gpu) : gpu_(gpu) {}
  void launch(const cuda::Launch& launch) override {
    launches.push_back({launch.kernel, launch.grid, launch.threads, launch.shared_bytes});
  }
  cuda::TensorMap map(const cuda::BoxedTensor&) override { return {}; }
  const cuda::Gpu& gpu() const override { return gpu_; }
  void* workspace() const override { return place; }

  std::vector<PlannedLaunch> launches;
  // Stands for every address: kernels that do not run read none.
  static inline char place[16];

 private:
  cuda::Gpu gpu_;
};

struct PresentOperands {
  static void* pointer(uint32_t word) { return word == 0xffffffff ? nullptr : Recorder::place; }
  static Weight weight(uint32_t word) { return {pointer(word), DType::f32}; }
};

}  // namespace

std::vector<PlannedLaunch> planned_launches(const cuda::Gpu& gpu, const std::vector<uint32_t>& words) {
  Recorder recorder(gpu);
  visit_op(static_cast<Opcode>(words.at(0)), words.data() + 1, cuda::Kernels(), PresentOperands(),
           [&](const auto& kernel, auto& args) { kernel.run(args, recorder); });
  return recorder.launches;
}

}  // namespace tintype::ptx
