// The device that the CUDA backend runs plans on where there is no GPU: launches go to the interpreter.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../../native/cuda/device.h"
#include "interpreted_gpu.h"

namespace tintype::ptx {

class InterpretedDevice final : public cuda::Device {
 public:
  // `folder` has one folder for each element type.
  InterpretedDevice(std::string folder, cuda::Gpu gpu, Options options);
  ~InterpretedDevice() override;

  const cuda::Gpu& gpu() const override { return gpu_; }
  void* allocate(size_t bytes, const char* what) override { return memory_.allocate(bytes, what); }
  void free(void* memory) noexcept override { memory_.free(memory); }
  void* staging(size_t bytes) override;
  void upload(void* to, size_t bytes) override;
  void download(void* to, const void* from, size_t bytes) override;
  void launch(const cuda::Launch& launch, DType element) override;
  void begin_graph() override;
  std::unique_ptr<cuda::LaunchGraph> end_graph() override;
  void replay(cuda::LaunchGraph& graph) override;
  void mark() override {}
  void wait(int) override {}

 private:
  class Recorded;
  void execute_now(const cuda::Launch& launch, DType element);

  const std::string folder_;
  const cuda::Gpu gpu_;
  const Options options_;
  DeviceMemory memory_;
  std::vector<char> staging_;
  std::unique_ptr<Recorded> recording_;
};

}  // namespace tintype::ptx
