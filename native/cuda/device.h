// A GPU by the CUDA runtime: memory, copies, launches and graphs, in the order in which they are asked for.
// The runtime is linked statically; libcuda is looked for when the first call is made. Tests link another
// runtime in its place, whose GPUs are interpreted (test/ptx/runtime).
#pragma once
#include <cuda_runtime_api.h>

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "../../kernels/cuda/launch.h"
#include "modules.h"

namespace tintype::cuda {

// Why there is no GPU to use, or how many there are. Throws DEVICE_UNAVAILABLE.
int device_count();

// Launches that were recorded, to be replayed as often as wanted.
class LaunchGraph {
 public:
  explicit LaunchGraph(cudaGraphExec_t graph) : exec(graph) {}
  ~LaunchGraph() { cudaGraphExecDestroy(exec); }
  LaunchGraph(const LaunchGraph&) = delete;
  LaunchGraph& operator=(const LaunchGraph&) = delete;
  const cudaGraphExec_t exec;
};

// Errors are thrown as native/errors.h says: OUT_OF_MEMORY, DEVICE_UNAVAILABLE, or DEVICE_LOST after which
// nothing works.
class Device {
 public:
  explicit Device(int number);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const Gpu& gpu() const { return gpu_; }
  // Begins at a multiple of 256 bytes.
  void* allocate(size_t bytes, const char* what);
  void free(void* memory) noexcept;

  // Host memory to fill and then to upload; what was uploaded from it before has left it.
  void* staging(size_t bytes);
  void upload(void* to, size_t bytes);
  // Waits for all that was asked for before.
  void download(void* to, const void* from, size_t bytes);

  // `precision` says which compilation of the kernel.
  void launch(const Launch& launch, Precision precision);
  // What `launches` launches is recorded instead of run.
  std::unique_ptr<LaunchGraph> capture(const std::function<void()>& launches);
  void replay(const LaunchGraph& graph);

  // Of the driver, which nothing links. Throws DEVICE_UNAVAILABLE where it has none of the name.
  void* driver_function(const char* name);

  // Waits until all but the last `pending` marks have been passed: how far the host may be ahead.
  void mark();
  void wait(int pending);

 private:
  // Pinned memory: one is filled while the other is sent. Where none can be had, any memory will do.
  struct Staging {
    void* pinned = nullptr;
    std::vector<char> pageable;
    size_t bytes = 0;
    cudaEvent_t sent = nullptr;
    void* data() { return pinned ? pinned : pageable.data(); }
  };
  static constexpr int most_pending = 4;

  struct LoadedKernel {
    cudaKernel_t kernel;
    size_t shared_bytes;  // that a launch may have: 48 KB, or what has been asked for
  };
  // What was compiled for one precision, loaded when it is first needed.
  struct Kernels {
    std::vector<cudaLibrary_t> libraries;
    std::unordered_map<std::string, LoadedKernel> known;
  };

  void check(cudaError_t error, const char* doing);
  void use();
  void open();
  void close() noexcept;
  cudaKernel_t kernel(const Launch& launch, Precision precision);
  void load(Kernels& kernels, Precision precision);
  // Null where that precision has no kernel of the name.
  LoadedKernel* find(const char* name, Precision precision);
  void reserve(Staging& staging, size_t bytes);

  const int number_;
  Gpu gpu_{};
  std::string lost_;  // what broke the device, after which it does nothing
  cudaStream_t stream_ = nullptr;
  Staging stagings_[2];
  int filled_ = 0;
  cudaEvent_t marks_[most_pending] = {};
  uint64_t marked_ = 0;
  Kernels kernels_[3];  // of each precision
};

}  // namespace tintype::cuda
