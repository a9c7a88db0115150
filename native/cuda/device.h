// A GPU as the backend uses it: memory, copies, launches and graphs, in the order in which they are asked
// for. CUDA is one implementation (cuda_device.h), the PTX interpreter of the tests another.
#pragma once
#include <cstddef>
#include <memory>

#include "../../kernels/args.gen.h"
#include "../../kernels/cuda/launch.h"

namespace tintype::cuda {

// Launches that were recorded, to be replayed as often as wanted.
class LaunchGraph {
 public:
  virtual ~LaunchGraph() = default;
};

// Errors are thrown as native/errors.h says: OUT_OF_MEMORY, or DEVICE_LOST after which nothing works.
class Device {
 public:
  virtual ~Device() = default;
  virtual const Gpu& gpu() const = 0;

  // Begins at a multiple of 256 bytes.
  virtual void* allocate(size_t bytes, const char* what) = 0;
  virtual void free(void* memory) noexcept = 0;

  // Host memory to fill and then to upload; what was uploaded from it before has left it.
  virtual void* staging(size_t bytes) = 0;
  virtual void upload(void* to, size_t bytes) = 0;
  // Waits for all that was asked for before.
  virtual void download(void* to, const void* from, size_t bytes) = 0;

  // `element` says which of the two compilations of the kernel.
  virtual void launch(const Launch& launch, DType element) = 0;
  // Launches between the two are recorded instead of run.
  virtual void begin_graph() = 0;
  virtual std::unique_ptr<LaunchGraph> end_graph() = 0;
  virtual void replay(LaunchGraph& graph) = 0;

  // Waits until all but the last `pending` marks have been passed: how far the host may be ahead.
  virtual void mark() = 0;
  virtual void wait(int pending) = 0;
};

}  // namespace tintype::cuda
