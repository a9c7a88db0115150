// Linear layers, also as the 1x1 convolutions that they are.
#pragma once
#include "gemm.h"

namespace tintype::cuda {

// A row of `rows` is added to `period` rows of the product.
struct RowBias {
  const float* rows;
  int64_t period;
};

// y = f(x w^T + bias + row_bias) + residual
void run_linear(const LinearArgs& a, const RowBias& row_bias, Launcher& launcher);

}  // namespace tintype::cuda
