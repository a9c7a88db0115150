// Convolutions as an implicit GEMM: the matrix of patches is never built.
#include "conv2d.h"
#include "gemm.cuh"

namespace tintype::cuda {

extern "C" __global__ void __launch_bounds__(tile_built(gemm_128x160).threads(),
                                             tile_built(gemm_128x160).resident())
    conv2d_128x160(const __grid_constant__ GemmArgs a) {
  gemm<gemm_128x160, TapsGather>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_128x128).threads(),
                                             tile_built(gemm_128x128).resident())
    conv2d_128x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_128x128, TapsGather>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x128).threads(),
                                             tile_built(gemm_64x128).resident())
    conv2d_64x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x128, TapsGather>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x64).threads(),
                                             tile_built(gemm_64x64).resident())
    conv2d_64x64(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x64, TapsGather>(a);
}

// y = g((x - mean) * factor + shift). Bandwidth.
extern "C" __global__ void conv2d_normalize(const __grid_constant__ NormalizeArgs a) {
  const RowChunk at(a.op.n * a.op.h * a.op.w, a.op.c);
  if (at.count == 0) return;
  const int64_t of_picture = at.row / (a.op.h * a.op.w) * a.op.c + at.column;
  Chunk v, mean, factor, shift;
  load(elements(a.op.x) + at.first, at.count, at.whole, v);
  load(a.op.mean + of_picture, at.count, at.whole, mean);
  load(a.op.factor + of_picture, at.count, at.whole, factor);
  load(a.op.shift + of_picture, at.count, at.whole, shift);
#pragma unroll
  for (int i = 0; i < chunk; i++) v[i] = (v[i] - mean[i]) * factor[i] + shift[i];
  activate(v, a.op.input_activation);
  store(elements(a.y) + at.first, at.count, at.whole, v);
}

}  // namespace tintype::cuda
