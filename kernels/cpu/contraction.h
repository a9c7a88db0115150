// 1x1 convolutions of at most half as many channels out as in, whose result may begin where their input does.
#pragma once
#include "../args.gen.h"
#include "../exec.h"
#include "gemm.h"

namespace tintype::TINTYPE_ISA {

void contraction(const Conv2dArgs&, const Epilogue&, const Exec&);
ScratchSize contraction_scratch(const Conv2dArgs&);

}  // namespace tintype::TINTYPE_ISA
