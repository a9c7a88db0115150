// A warp-lockstep interpreter of the PTX that nvcc emits: what it can do, not how.
//
// It executes 32 lanes for each dispatched instruction and stops at the first access that leaves its memory
// or is misaligned, race in shared memory, read or overwrite of a copy in flight, overwrite of what a product
// in flight reads, look at what it sums up, barrier that only a part of the block reaches, or instruction of
// a warp or warpgroup that only a part of it executes. Where warps meet by mbarriers, named barriers or
// clusters, races are what clocks do not order, and warps that wait for ever are a deadlock. Of wgmma it
// knows the matrices of matrix_descriptor.h, and half precision; of the copies of TMA those of plain bytes.
// It does not know tensor maps, loads and stores in other blocks of a cluster, local memory, float64,
// textures or calls: an instruction that it does not know is an error when the text is read.
#pragma once
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "../../../kernels/cuda/launch.h"
#include "device_memory.h"
#include "statistics.h"

namespace tintype::ptx {

// A kernel did what it must not, or the text is not understood.
struct Fault : std::runtime_error {
  using runtime_error::runtime_error;
};

// Of blocks, and of the warps of a block between barriers.
enum class WarpOrder { forward, reverse, random };

struct Options {
  WarpOrder order = WarpOrder::forward;
  uint64_t seed = 1;
  int threads = 1;  // blocks are spread over them
  // Races between blocks are looked for in every launch, or only where blocks hand over results to one
  // another.
  bool watches_all = true;
  int sampled_blocks = 1;  // of the first ones bank conflicts and sectors are counted
};

struct Kernel;

// The kernels of one PTX text.
class Module {
 public:
  explicit Module(const std::string& text);
  ~Module();
  Module(Module&&) noexcept;
  // Null where there is none of that name.
  const Kernel* find(const std::string& name) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

Statistics execute(const Kernel& kernel, const cuda::Launch& launch, const DeviceMemory& memory,
                   const Options& options = {});

}  // namespace tintype::ptx
