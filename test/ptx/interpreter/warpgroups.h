// What warps do together, four at a time, without waiting for one another: the instructions of a warpgroup.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "program.h"

namespace tintype::ptx {

inline constexpr int warps_of_group = 4;

// How a product differs from that of two matrices in shared memory, both along the depth, that is added to
// sums.
namespace WarpgroupProduct {
inline constexpr uint8_t replaces = 1;      // the sums are not read
inline constexpr uint8_t transposed = 2;    // rows of B are those of the depth
inline constexpr uint8_t of_registers = 4;  // A is in registers
}  // namespace WarpgroupProduct

// Products that have been issued and not waited for.
struct PendingProduct {
  const Instruction* instruction;
  uint64_t a, b;  // descriptors; a is 0 where A is in registers
};

// A register that products are summed up in, or that they multiply.
struct ProductRegister {
  bool touched = true, written = true;  // since the last wgmma.fence
  uint16_t in_flight = 0;               // products that are summed up in it
  uint16_t multiplied = 0;              // products in flight that read it
  uint16_t index = 0, count = 0;        // among those of the products in flight
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
  void forget(int group);
  std::vector<std::vector<Step>> steps_;  // of each group, since the last barrier
  std::vector<size_t> done_;              // of each warp
};

}  // namespace tintype::ptx
