// One op of the op table on the interpreted device, from its encoding in a plan.
#pragma once
#include <string>
#include <vector>

#include "../../kernels/args.gen.h"
#include "interpreted_gpu.h"

namespace tintype::ptx {

struct HostOperand {
  uint8_t* bytes;  // as the device keeps them; weights as in their file
  size_t size;
  DType dtype;  // of a weight
};

// `words` are those of a plan, operands numbered by their place in `operands`. Outputs come back in the
// operands.
void run_op(InterpretedGpu& gpu, const std::vector<uint32_t>& words, std::vector<HostOperand>& operands,
            DType element);

}  // namespace tintype::ptx
