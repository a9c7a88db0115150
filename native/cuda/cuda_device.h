// A GPU by the CUDA runtime, which is linked statically: libcuda is looked for when the first call is made.
#pragma once
#include <cuda_runtime_api.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "device.h"

namespace tintype::cuda {

// Why there is no GPU to use, or how many there are. Throws DEVICE_UNAVAILABLE.
int device_count();

class CudaDevice final : public Device {
 public:
  explicit CudaDevice(int number);
  ~CudaDevice() override;
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  const Gpu& gpu() const override { return gpu_; }
  void* allocate(size_t bytes, const char* what) override;
  void free(void* memory) noexcept override;
  void* staging(size_t bytes) override;
  void upload(void* to, size_t bytes) override;
  void download(void* to, const void* from, size_t bytes) override;
  void launch(const Launch& launch, DType element) override;
  void begin_graph() override;
  std::unique_ptr<LaunchGraph> end_graph() override;
  void replay(LaunchGraph& graph) override;
  void mark() override;
  void wait(int pending) override;

 private:
  // Pinned memory: one is filled while the other is sent.
  struct Staging {
    void* host = nullptr;
    size_t bytes = 0;
    cudaEvent_t sent = nullptr;
  };
  static constexpr int most_pending = 4;

  void check(cudaError_t error, const char* doing);
  void use();
  cudaKernel_t kernel(const Launch& launch, DType element);
  void reserve(Staging& staging, size_t bytes);

  const int number_;
  Gpu gpu_{};
  std::string lost_;  // what broke the device, after which it does nothing
  cudaStream_t stream_ = nullptr;
  Staging stagings_[2];
  int filled_ = 0;
  cudaEvent_t marks_[most_pending] = {};
  uint64_t marked_ = 0;
  std::vector<cudaLibrary_t> libraries_[2];  // of each element type
  std::unordered_map<std::string, cudaKernel_t> kernels_[2];
};

}  // namespace tintype::cuda
