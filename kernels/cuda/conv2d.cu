// Convolutions as an implicit GEMM: the matrix of patches is never built.
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
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x128_sliced).threads(),
                                             tile_built(gemm_64x128_sliced).resident())
    conv2d_sliced_64x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x128_sliced, TapsGather>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x64).threads(),
                                             tile_built(gemm_64x64).resident())
    conv2d_64x64(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x64, TapsGather>(a);
}

}  // namespace tintype::cuda
