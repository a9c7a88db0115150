// Which of the instruction sets that the kernels were compiled for this process uses.
#pragma once
#include <string>
#include <vector>

#include "table.gen.h"

namespace tintype {

// Those that this CPU can run, best first.
std::vector<const CpuKernels*> supported_kernels();

// How kernels multiply pairs of bf16: by an instruction made for it, by several others, or not at all, where
// they were compiled for an instruction that this CPU lacks.
enum class PairProducts { none, slow, fast };
PairProducts pair_products(const CpuKernels& kernels);

// The kernels of that name, or the best for an empty one; null where there are none.
const CpuKernels* find_kernels(const std::string& isa);

}  // namespace tintype
