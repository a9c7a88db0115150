#include "chunk.cuh"
#include "layer_norm.h"
#include "math.cuh"

namespace tintype::cuda {

// A warp for each row. Mean, then squares around it, then the result: the row is read three times, twice of
// these from L1. Bandwidth.
extern "C" __global__ void __launch_bounds__(layer_norm_threads) layer_norm(LayerNormArgs a) {
  const int lane = threadIdx.x % 32, c = static_cast<int>(a.c);
  const int64_t row = blockIdx.x * static_cast<int64_t>(layer_norm_threads / 32) + threadIdx.x / 32;
  if (row >= a.m) return;
  const Element* x = elements(a.x) + row * c;
  Element* y = elements(a.y) + row * c;
  const bool whole = c % chunk == 0;
  const auto for_chunks = [&](auto f) {
    for (int j = lane * chunk; j < c; j += 32 * chunk) {
      Chunk v;
      const int count = min(chunk, c - j);
      load(x + j, count, whole, v);
      f(j, count, v);
    }
  };
  float sum = 0, squares = 0;
  for_chunks([&](int, int, const Chunk& v) {
#pragma unroll
    for (int i = 0; i < chunk; i++) sum += v[i];
  });
  const float mean = warp_sum(sum) / c;
  for_chunks([&](int, int count, const Chunk& v) {
#pragma unroll
    for (int i = 0; i < chunk; i++) squares += i < count ? (v[i] - mean) * (v[i] - mean) : 0.f;
  });
  const float inverse = rsqrtf(warp_sum(squares) / c + a.eps);
  for_chunks([&](int j, int count, Chunk& v) {
    Chunk gamma, beta;
    load(a.gamma + j, count, whole, gamma);
    load(a.beta + j, count, whole, beta);
#pragma unroll
    for (int i = 0; i < chunk; i++) v[i] = (v[i] - mean) * inverse * gamma[i] + beta[i];
    store(y + j, count, whole, v);
  });
}

}  // namespace tintype::cuda
