// The layer norm of rows that blocks have just stored, some lanes for each: they read a row once and keep it.
#pragma once
#include "arrivals.cuh"
#include "gemm.h"

namespace tintype::cuda {

template <int Lanes>
__device__ float row_sum(float value) {
#pragma unroll
  for (int distance = Lanes / 2; distance > 0; distance /= 2)
    value += __shfl_xor_sync(0xffffffff, value, distance);
  return value;
}

// Rows [first, first + Rows) of y, as far as there are any.
template <int Rows, int Threads>
__device__ void normalize_rows(const GemmArgs& a, int first) {
  // A block goes through its rows in eight turns: the lower the tile, the fewer registers there are.
  constexpr int norm_lanes = 8 * Threads / Rows,
                pieces = gemm_norm_columns / (norm_lanes * chunk);  // of a lane
  static_assert(norm_lanes == 8 || norm_lanes == 16, "a row lies within a warp");
  const int lane = threadIdx.x % norm_lanes;
#pragma unroll 1
  for (int r = threadIdx.x / norm_lanes; r < Rows; r += Threads / norm_lanes) {
    const int row = first + r;
    const int64_t at = static_cast<int64_t>(row) * a.n;
    const Element* y = elements(a.layers[0].y) + at;
    uint4 raw[pieces];
    Chunk v;
    float sum = 0, squares = 0;
#pragma unroll
    for (int i = 0; i < pieces; i++) {
      const int column = (i * norm_lanes + lane) * chunk;
      raw[i] = row < a.m && column < a.n ? load_stored(y + column) : make_uint4(0, 0, 0, 0);
    }
#pragma unroll
    for (int i = 0; i < pieces; i++) {
      unpack(raw[i], v);
#pragma unroll
      for (int e = 0; e < chunk; e++) sum += v[e];
    }
    const float mean = row_sum<norm_lanes>(sum) / a.n;
#pragma unroll
    for (int i = 0; i < pieces; i++) {
      if ((i * norm_lanes + lane) * chunk >= a.n) continue;
      unpack(raw[i], v);
#pragma unroll
      for (int e = 0; e < chunk; e++) squares += (v[e] - mean) * (v[e] - mean);
    }
    const float inverse = rsqrtf(row_sum<norm_lanes>(squares) / a.n + a.norm.eps);
    if (row >= a.m) continue;
#pragma unroll
    for (int i = 0; i < pieces; i++) {
      const int column = (i * norm_lanes + lane) * chunk;
      if (column >= a.n) continue;
      Chunk gamma, beta;
      load(a.norm.gamma + column, gamma);
      load(a.norm.beta + column, beta);
      unpack(raw[i], v);
#pragma unroll
      for (int e = 0; e < chunk; e++) v[e] = (v[e] - mean) * inverse * gamma[e] + beta[e];
      store(elements(a.norm.y) + at + column, v);
    }
  }
}

}  // namespace tintype::cuda
