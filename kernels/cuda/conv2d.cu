// Convolutions as an implicit GEMM: the matrix of patches is never built.
#include "gemm_boxed.cuh"

namespace tintype::cuda {

extern "C" __global__ void __launch_bounds__(tile_built(gemm_128x160).threads(),
                                             tile_built(gemm_128x160).resident())
    conv2d_128x160(const __grid_constant__ GemmArgs a) {
  gemm<gemm_128x160, TapsGather, GemmKind::quartered>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_128x128).threads(),
                                             tile_built(gemm_128x128).resident())
    conv2d_128x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_128x128, TapsGather, GemmKind::quartered>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x128).threads(),
                                             tile_built(gemm_64x128).resident())
    conv2d_64x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x128, TapsGather, GemmKind::quartered>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x128_sliced).threads(),
                                             tile_built(gemm_64x128_sliced).resident())
    conv2d_sliced_64x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x128_sliced, TapsGather, GemmKind::quartered>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x64).threads(),
                                             tile_built(gemm_64x64).resident())
    conv2d_64x64(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x64, TapsGather, GemmKind::quartered>(a);
}

// Where the copy engine brings what the taps meet.
extern "C" __global__ void __launch_bounds__(of_copy_engine(gemm_128x160).threads(),
                                             of_copy_engine(gemm_128x160).resident())
    boxed_conv2d_128x160(const __grid_constant__ BoxedGemmArgs a) {
  boxed_gemm<gemm_128x160, BoxedRows::patches, GemmKind::quartered>(a);
}
extern "C" __global__ void __launch_bounds__(of_copy_engine(gemm_paired_128x160).threads(),
                                             of_copy_engine(gemm_paired_128x160).resident())
    boxed_conv2d_paired_128x160(const __grid_constant__ BoxedGemmArgs a) {
  boxed_gemm<gemm_paired_128x160, BoxedRows::patches, GemmKind::quartered>(a);
}
extern "C" __global__ void __launch_bounds__(of_copy_engine(gemm_128x128).threads(),
                                             of_copy_engine(gemm_128x128).resident())
    boxed_conv2d_128x128(const __grid_constant__ BoxedGemmArgs a) {
  boxed_gemm<gemm_128x128, BoxedRows::patches, GemmKind::quartered>(a);
}
extern "C" __global__ void __launch_bounds__(of_copy_engine(gemm_64x160).threads(),
                                             of_copy_engine(gemm_64x160).resident())
    boxed_conv2d_64x160(const __grid_constant__ BoxedGemmArgs a) {
  boxed_gemm<gemm_64x160, BoxedRows::patches, GemmKind::quartered>(a);
}
extern "C" __global__ void __launch_bounds__(of_copy_engine(gemm_64x128).threads(),
                                             of_copy_engine(gemm_64x128).resident())
    boxed_conv2d_64x128(const __grid_constant__ BoxedGemmArgs a) {
  boxed_gemm<gemm_64x128, BoxedRows::patches, GemmKind::quartered>(a);
}
extern "C" __global__ void __launch_bounds__(of_copy_engine(gemm_64x64).threads(),
                                             of_copy_engine(gemm_64x64).resident())
    boxed_conv2d_64x64(const __grid_constant__ BoxedGemmArgs a) {
  boxed_gemm<gemm_64x64, BoxedRows::patches, GemmKind::quartered>(a);
}

}  // namespace tintype::cuda
