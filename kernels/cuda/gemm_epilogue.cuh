// What happens to sums before they are stored, in float32.
#pragma once
#include "arrivals.cuh"
#include "chunk.cuh"
#include "gemm.h"
#include "math.cuh"

namespace tintype::cuda {

// Eight sums of one row, `count` of them inside of y.
__device__ inline void finish(const GemmArgs& a, const GemmLayer& layer, int row, int column, Chunk& v) {
  const int count = min(chunk, a.n - column);
  const bool whole = a.n % chunk == 0;
  const int64_t at = static_cast<int64_t>(row) * a.n + column;
  Chunk more;
  const auto add = [&] {
#pragma unroll
    for (int i = 0; i < chunk; i++) v[i] += more[i];
  };
  if (layer.bias) {
    load(layer.bias + column, count, count == chunk, more);
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
  store(elements(layer.y) + at, count, whole, v);
}

// Eight values and their gates, of columns that lie `column` and `column` + 8 among the rows of B.
__device__ inline void finish_gated(const GemmArgs& a, int row, int column, Chunk& value, Chunk& gate) {
  const GemmLayer& layer = a.layers[0];
  const int columns = a.n / 2, own = column / 2;
  Chunk bias;
  if (layer.bias) {
    load(layer.bias + own, bias);
#pragma unroll
    for (int i = 0; i < chunk; i++) value[i] += bias[i];
    load(layer.bias + columns + own, bias);
#pragma unroll
    for (int i = 0; i < chunk; i++) gate[i] += bias[i];
  }
#pragma unroll
  for (int i = 0; i < chunk; i++) value[i] *= gelu(gate[i]);
  store(elements(layer.y) + static_cast<int64_t>(row) * columns + own, value);
}

// Where the sums of a split lie: those of all splits of a layer one after the other.
__device__ inline float* partial_of(const GemmArgs& a, int layer, int split, int row, int column) {
  return a.partials + ((static_cast<int64_t>(layer) * a.splits + split) * a.m + row) * a.n + column;
}

__device__ inline void add_partials(const GemmArgs& a, int layer, int row, int column, Chunk& sum) {
  const int count = min(chunk, a.n - column);
#pragma unroll 4
  for (int split = 0; split < a.splits; split++) {
    Chunk part;
    load_stored_chunk(partial_of(a, layer, split, row, column), count, a.n % chunk == 0, part);
#pragma unroll
    for (int i = 0; i < chunk; i++) sum[i] += part[i];
  }
}

}  // namespace tintype::cuda
