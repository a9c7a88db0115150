// Linear layers of two values side by side, which nobody has copied so.
#include "gemm.cuh"

namespace tintype::cuda {

extern "C" __global__ void __launch_bounds__(tile_built(gemm_128x160).threads(),
                                             tile_built(gemm_128x160).resident())
    concat_linear_128x160(const __grid_constant__ GemmArgs a) {
  gemm<gemm_128x160, JoinedRowsGather>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_128x128).threads(),
                                             tile_built(gemm_128x128).resident())
    concat_linear_128x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_128x128, JoinedRowsGather>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x128).threads(),
                                             tile_built(gemm_64x128).resident())
    concat_linear_64x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x128, JoinedRowsGather>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x128_sliced).threads(),
                                             tile_built(gemm_64x128_sliced).resident())
    concat_linear_sliced_64x128(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x128_sliced, JoinedRowsGather>(a);
}
extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x64).threads(),
                                             tile_built(gemm_64x64).resident())
    concat_linear_64x64(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x64, JoinedRowsGather>(a);
}

}  // namespace tintype::cuda
