// 3x3 convolutions with a quarter or a fifth of the multiplications, of enlarged pictures with a seventh, of
// stride 2 with nine sixteenths.
#pragma once
#include "../args.gen.h"
#include "../exec.h"
#include "gemm.h"

namespace tintype::TINTYPE_ISA {

// Threads share the transformed patches, and each transforms weights for itself.
void winograd(const Conv2dArgs&, const Epilogue&, const Exec&);
ScratchSize winograd_scratch(const Conv2dArgs&);

// Threads share the transformed weights, and each transforms patches for itself.
bool winograd_takes_blocks(const Conv2dArgs&);
void winograd_blocks(const Conv2dArgs&, const Epilogue&, const Exec&);
ScratchSize winograd_blocks_scratch(const Conv2dArgs&);

}  // namespace tintype::TINTYPE_ISA
