#include "gemm.cuh"

namespace tintype::cuda {

extern "C" __global__ void __launch_bounds__(tile_built(gemm_128x160).threads(),
                                             tile_built(gemm_128x160).resident())
    linear_128x160(const __grid_constant__ GemmArgs a) {
  gemm<gemm_128x160, RowsGather, GemmKind::joined>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_128x128).threads(),
                                             tile_built(gemm_128x128).resident())
    linear_128x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_128x128, RowsGather, GemmKind::joined>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x128).threads(),
                                             tile_built(gemm_64x128).resident())
    linear_64x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x128, RowsGather, GemmKind::joined>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x128_sliced).threads(),
                                             tile_built(gemm_64x128_sliced).resident())
    linear_sliced_64x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x128_sliced, RowsGather, GemmKind::joined>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x64).threads(),
                                             tile_built(gemm_64x64).resident())
    linear_64x64(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x64, RowsGather, GemmKind::joined>(a);
}

extern "C" __global__ void __launch_bounds__(tile_built(gemm_128x160).threads(),
                                             tile_built(gemm_128x160).resident())
    linear_geglu_128x160(const __grid_constant__ GemmArgs a) {
  gemm<gemm_128x160, RowsGather, GemmKind::gated>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_128x128).threads(),
                                             tile_built(gemm_128x128).resident())
    linear_geglu_128x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_128x128, RowsGather, GemmKind::gated>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x128).threads(),
                                             tile_built(gemm_64x128).resident())
    linear_geglu_64x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x128, RowsGather, GemmKind::gated>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x128_sliced).threads(),
                                             tile_built(gemm_64x128_sliced).resident())
    linear_geglu_sliced_64x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x128_sliced, RowsGather, GemmKind::gated>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x64).threads(),
                                             tile_built(gemm_64x64).resident())
    linear_geglu_64x64(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x64, RowsGather, GemmKind::gated>(a);
}

}  // namespace tintype::cuda
