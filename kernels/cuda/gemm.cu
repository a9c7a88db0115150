// The matrix products that neither linear nor conv2d have kernels for, and the second half of divided ones.
#include "gemm.cuh"

namespace tintype::cuda {

extern "C" __global__ void __launch_bounds__(gemm_64x64.threads(), gemm_64x64.resident())
    gemm_any_64x64(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x64, AnyGather>(a);
}

extern "C" __global__ void __launch_bounds__(gemm_64x64.threads(), gemm_64x64.resident())
    gemm_any_geglu_64x64(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x64, AnyGather, true>(a);
}

namespace {

__device__ void add_splits(const GemmArgs& a, int64_t at, int count, bool whole, Chunk& sum) {
  for (int split = 0; split < a.splits; split++) {
    Chunk part;
    load(a.partials + split * static_cast<int64_t>(a.m) * a.n + at, count, whole, part);
#pragma unroll
    for (int i = 0; i < chunk; i++) sum[i] += part[i];
  }
}

}  // namespace

// Adds the sums of all splits. Bandwidth.
extern "C" __global__ void gemm_reduce(const __grid_constant__ GemmArgs a) {
  const RowChunk at(a.m, a.n);
  if (at.count == 0) return;
  Chunk sum = {};
  add_splits(a, at.first, at.count, at.whole, sum);
  finish(a, static_cast<int>(at.row), static_cast<int>(at.column), sum);
}

extern "C" __global__ void gemm_reduce_geglu(const __grid_constant__ GemmArgs a) {
  const RowChunk at(a.m, a.n / 2);
  if (at.count == 0) return;
  Chunk value = {}, gate = {};
  const int64_t first = at.row * a.n + 2 * at.column;
  add_splits(a, first, chunk, true, value);
  add_splits(a, first + chunk, chunk, true, gate);
  finish_gated(a, static_cast<int>(at.row), static_cast<int>(2 * at.column), value, gate);
}

}  // namespace tintype::cuda
