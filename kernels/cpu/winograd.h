// 3x3 convolutions of stride 1 with a quarter of the multiplications.
#pragma once
#include "../args.gen.h"
#include "../exec.h"
#include "gemm.h"

namespace tintype::TINTYPE_ISA {

void winograd(const Conv2dArgs&, const Epilogue&, const Exec&);
ScratchSize winograd_scratch(const Conv2dArgs&);

}  // namespace tintype::TINTYPE_ISA
