// What warps do together, four at a time, without waiting for one another: the instructions of a warpgroup.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "program.h"

namespace tintype::ptx {

inline constexpr int warps_of_group = 4;

// Products that have been issued and not waited for.
struct PendingProduct {
  const Instruction* instruction;
  uint64_t a, b;  // descriptors
};

// A register that products are summed up in.
struct Accumulator {
  bool touched = true;  // since the last wgmma.fence
  uint16_t in_flight = 0;
  uint16_t index = 0, count = 0;  // among those of the products in flight
};

// One warp comes to an instruction after the other. The first says what all do, in their order.
class Warpgroups {
 public:
  struct Step {
    const Instruction* instruction;
    uint64_t a, b;  // descriptors of a product
  };

  // For a new block.
  void reset(size_t warps);
  // nullptr, or what is wrong.
  const char* execute(int warp, const Step& step);
  // Where all warps of the block meet: an instruction that some warps of a group have executed and others
  // have not, or nullptr; `warp` is one of those that have.
  const Instruction* unfinished(int& warp) const;
  void barrier();

 private:
  std::vector<std::vector<Step>> steps_;  // of each group, since the last barrier
  std::vector<size_t> done_;              // of each warp
};

}  // namespace tintype::ptx
