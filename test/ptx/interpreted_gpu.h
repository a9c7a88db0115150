// The launcher that runs kernels on the interpreter: what native/cuda does with a GPU, done without one.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "../../kernels/cuda/launch.h"
#include "interpreter/interpreter.h"

namespace tintype::ptx {

// The modules of one architecture and precision: every .ptx of a folder, read once per process.
class Program {
 public:
  static const Program& in_folder(const std::string& folder);
  // Null where there is none of that name.
  const Kernel* find(const std::string& name) const;

 private:
  explicit Program(const std::string& folder);
  std::vector<Module> modules_;
};

// What a GPU offers to a block.
constexpr size_t shared_bytes_of(int architecture) {
  switch (architecture) {
    case 75:
      return 64 << 10;
    case 80:
      return 163 << 10;
    case 90:
      return 227 << 10;
    default:
      return 99 << 10;
  }
}

// Throws a Fault for what no GPU of that architecture would launch.
void check_launch(const cuda::Launch& launch, int architecture);

class InterpretedGpu : public cuda::Launcher {
 public:
  struct Launched {
    std::string kernel;
    Statistics statistics;
  };

  // A kernel is looked for in one program after the other.
  InterpretedGpu(std::vector<const Program*> programs, cuda::Gpu gpu, Options options)
      : programs_(std::move(programs)), gpu_(gpu), options_(options) {}

  void launch(const cuda::Launch& launch) override;
  cuda::TensorMap map(const cuda::BoxedTensor& tensor) override;
  const cuda::Gpu& gpu() const override { return gpu_; }
  void* workspace() const override { return workspace_; }

  DeviceMemory& memory() { return memory_; }
  void reserve(size_t workspace_bytes) { workspace_ = memory_.allocate(workspace_bytes, "workspace"); }
  const std::vector<Launched>& launched() const { return launched_; }

 private:
  const Kernel& kernel(const std::string& name) const;

  const std::vector<const Program*> programs_;
  cuda::Gpu gpu_;
  Options options_;
  DeviceMemory memory_;
  void* workspace_ = nullptr;
  std::vector<Launched> launched_;
};

}  // namespace tintype::ptx
