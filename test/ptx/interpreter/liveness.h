// Where in a kernel each virtual register may still be read.
#pragma once
#include <climits>
#include <cstddef>
#include <vector>

#include "registers.h"

namespace tintype::ptx {

// From the first to the last instruction at which the register is live; last < 0 if it is never used.
struct LiveRange {
  int first = INT_MAX, last = -1;
};

std::vector<LiveRange> live_ranges(const std::vector<Instruction>& code,
                                   const std::vector<Operands>& operands, size_t registers);

}  // namespace tintype::ptx
