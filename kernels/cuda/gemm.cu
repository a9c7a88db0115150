// The matrix products that neither linear nor conv2d have kernels for.
#include "gemm.cuh"

namespace tintype::cuda {

extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x64).threads(),
                                             tile_built(gemm_64x64).resident())
    gemm_any_64x64(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x64, AnyGather, GemmKind::joined>(a);
}

extern "C" __global__ void __launch_bounds__(tile_built(gemm_64x64).threads(),
                                             tile_built(gemm_64x64).resident())
    gemm_any_geglu_64x64(const __grid_constant__ GemmArgs a) {
  gemm<gemm_64x64, AnyGather, GemmKind::gated>(a);
}

}  // namespace tintype::cuda
