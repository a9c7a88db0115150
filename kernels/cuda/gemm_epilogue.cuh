// What happens to sums before they are stored, in float32.
#pragma once
#include "chunk.cuh"
#include "gemm.h"
#include "math.cuh"

namespace tintype::cuda {

// Eight sums of one row, `count` of them inside of y.
__device__ inline void finish(const GemmArgs& a, int row, int column, Chunk& v) {
  const int count = min(chunk, a.n - column);
  const bool whole = a.n % chunk == 0;
  const int64_t at = static_cast<int64_t>(row) * a.n + column;
  Chunk more;
  const auto add = [&] {
#pragma unroll
    for (int i = 0; i < chunk; i++) v[i] += more[i];
  };
  if (a.bias) {
    load(a.bias + column, count, count == chunk, more);
    add();
  }
  if (a.row_bias) {
    const int64_t bias_row = row / a.row_bias_period;
    load(elements(a.row_bias) + bias_row * a.n + column, count, whole, more);
    add();
  }
  activate(v, a.activation);
  if (a.residual) {
    load(elements(a.residual) + at, count, whole, more);
    add();
  }
  store(elements(a.y) + at, count, whole, v);
}

// Eight values and their gates, of columns that lie `column` and `column` + 8 among the rows of B.
__device__ inline void finish_gated(const GemmArgs& a, int row, int column, Chunk& value, Chunk& gate) {
  const int columns = a.n / 2, own = column / 2;
  Chunk bias;
  if (a.bias) {
    load(a.bias + own, bias);
#pragma unroll
    for (int i = 0; i < chunk; i++) value[i] += bias[i];
    load(a.bias + columns + own, bias);
#pragma unroll
    for (int i = 0; i < chunk; i++) gate[i] += bias[i];
  }
#pragma unroll
  for (int i = 0; i < chunk; i++) value[i] *= gelu(gate[i]);
  store(elements(a.y) + static_cast<int64_t>(row) * columns + own, value);
}

// Sums that other blocks have parts of: gemm_reduce adds them.
__device__ inline void store_partial(const GemmArgs& a, int split, int row, int column, const Chunk& v) {
  const int64_t at = (static_cast<int64_t>(split) * a.m + row) * a.n + column;
  store(a.partials + at, min(chunk, a.n - column), a.n % chunk == 0, v);
}

}  // namespace tintype::cuda
