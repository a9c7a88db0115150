// What happens to sums before they are stored, in float32.
#pragma once
#include "arrivals.cuh"
#include "chunk.cuh"
#include "gemm.h"
#include "math.cuh"

namespace tintype::cuda {

// What is added to eight sums at last: asked for before they are there, since it comes from far. Of rows of
// whole chunks.
__device__ inline uint4 ask_for_residual(const GemmArgs& a, int row, int column) {
  if (!a.residual) return make_uint4(0, 0, 0, 0);
  return *reinterpret_cast<const uint4*>(elements(a.residual) + static_cast<int64_t>(row) * a.n + column);
}

// Eight sums of one row, all inside of y, whose rows are whole chunks; `bias` is the layer's.
__device__ inline void finish(const GemmArgs& a, const GemmLayer& layer, int row, int column, Chunk& v,
                              const Chunk& bias, const uint4& residual) {
  const int64_t at = static_cast<int64_t>(row) * a.n + column;
  Chunk more;
  const auto add = [&] {
#pragma unroll
    for (int i = 0; i < chunk; i++) v[i] += more[i];
  };
#pragma unroll
  for (int i = 0; i < chunk; i++) v[i] += bias[i];
  if (a.row_bias) {
    const int64_t bias_row = row / a.row_bias_period;
    load(elements(a.row_bias) + bias_row * a.n + column, more);
    add();
  }
  activate(v, a.activation);
  if (a.residual) {
    unpack(residual, more);
    add();
  }
  store(elements(layer.y) + at, v);
}

// One sum of rows of any length.
__device__ inline void finish_one(const GemmArgs& a, const GemmLayer& layer, int row, int column, float v) {
  const int64_t at = static_cast<int64_t>(row) * a.n + column;
  if (layer.bias) v += layer.bias[column];
  if (a.row_bias)
    v += to_float(elements(a.row_bias)[static_cast<int64_t>(row / a.row_bias_period) * a.n + column]);
  float activated[] = {v};
  activate(activated, a.activation);
  v = activated[0];
  if (a.residual) v += to_float(elements(a.residual)[at]);
  elements(layer.y)[at] = to_element(v);
}

// Eight values and their gates, of columns that lie `column` and `column` + 8 among the rows of B.
__device__ inline void finish_gated(const GemmArgs& a, int row, int column, Chunk& value, const Chunk& gate,
                                    const Chunk& bias, const Chunk& gate_bias) {
#pragma unroll
  for (int i = 0; i < chunk; i++) value[i] = (value[i] + bias[i]) * gelu(gate[i] + gate_bias[i]);
  store(elements(a.layers[0].y) + static_cast<int64_t>(row) * (a.n / 2) + column / 2, value);
}

}  // namespace tintype::cuda
