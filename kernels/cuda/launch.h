// What the host part of a kernel asks of a device: launches by name. CUDA is one implementation, the PTX
// interpreter of the tests another; the host part is the same for both.
#pragma once
#include <cstddef>
#include <cstdint>

#include "tensor_map.h"

namespace tintype::cuda {

struct Grid {
  uint32_t x = 1, y = 1, z = 1;
};

// Every kernel takes one struct by value.
struct Launch {
  const char* kernel;
  Grid grid;
  uint32_t threads;  // of a block; blocks have one dimension
  size_t shared_bytes;
  const void* args;
  size_t args_bytes;
};

// What decisions about a launch may depend on.
struct Gpu {
  int architecture;  // 75 for sm_75
  int processors;    // streaming multiprocessors
  // Whether matrix products sum 32 products in fp16, which GeForce cards do at twice the rate.
  bool is_fast = false;
};

// Bytes of shared memory that the blocks of a processor have together (CUDA C++ Programming Guide, "Technical
// Specifications per Compute Capability"). Each takes 1024 bytes more than it asks for, from sm_80 on.
constexpr int64_t shared_of_processor(int architecture) {
  switch (architecture) {
    case 75:
      return 65 << 10;  // where the 1024 bytes are not taken
    case 80:
    case 87:
      return 164 << 10;
    case 90:
    case 100:
    case 103:
      return 228 << 10;
    default:
      return 100 << 10;
  }
}

// Whether four warps multiply together, by wgmma.
constexpr bool has_warpgroups(int architecture) {
  return architecture == 90;
}

class Launcher {
 public:
  virtual ~Launcher() = default;
  virtual void launch(const Launch& launch) = 0;
  virtual TensorMap map(const BoxedTensor& tensor) = 0;
  virtual const Gpu& gpu() const = 0;
  // As many bytes as the kernel's workspace function asked for, aligned for any use.
  virtual void* workspace() const = 0;

  template <class Args>
  void run(const char* kernel, Grid grid, uint32_t threads, const Args& args, size_t shared_bytes = 0) {
    launch({kernel, grid, threads, shared_bytes, &args, sizeof args});
  }
};

constexpr int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace tintype::cuda
