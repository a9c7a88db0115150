// Which of the CPU kernels this process uses.
#pragma once
#include "../../kernels/cpu/table.gen.h"

namespace tintype {

// Those of the best instruction set, or of the one that TINTYPE_ISA names.
const CpuKernels& process_kernels();

}  // namespace tintype
