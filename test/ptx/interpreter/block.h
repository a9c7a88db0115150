// The warps of one block and what they need, reused from block to block.
#pragma once
#include <cstdint>
#include <vector>

#include "../../../kernels/cuda/launch.h"
#include "execution.h"
#include "interpreter.h"

namespace tintype::ptx {

// What blocks of a launch have in common.
struct LaunchContext {
  const Kernel& kernel;
  const cuda::Launch& launch;
  const DeviceMemory& memory;
  uint8_t* variables;
  BlockTraffic* traffic;
  const Options& options;
};

class Block {
 public:
  explicit Block(const LaunchContext& context);

  // Of a grid, as number `rank` of a cluster where there is one.
  void start(int64_t number, Cluster* cluster = nullptr, int rank = 0);
  // Where all warps are at a barrier or have ended.
  void check_warpgroups();
  Execution& execution() { return execution_; }
  std::vector<Warp>& warps() { return warps_; }

 private:
  void start_warp(int number);

  const LaunchContext context_;
  Execution execution_;
  std::vector<Warp> warps_;
  std::vector<uint32_t> predicates_;
  std::vector<uint64_t> registers_;
};

}  // namespace tintype::ptx
