#include "gemm_boxed.cuh"

namespace tintype::cuda {

extern "C" __global__ void __launch_bounds__(rows_tile(gemm_128x160).threads(),
                                             rows_tile(gemm_128x160).resident())
    linear_128x160(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_128x160, RowsGather, BoxedRows::plain, GemmKind::joined>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_paired_128x160).threads(),
                                             rows_tile(gemm_paired_128x160).resident())
    linear_paired_128x160(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_paired_128x160, RowsGather, BoxedRows::plain, GemmKind::joined>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_128x128).threads(),
                                             rows_tile(gemm_128x128).resident())
    linear_128x128(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_128x128, RowsGather, BoxedRows::plain, GemmKind::joined>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_64x160).threads(),
                                             rows_tile(gemm_64x160).resident())
    linear_64x160(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_64x160, RowsGather, BoxedRows::plain, GemmKind::joined>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_64x128).threads(),
                                             rows_tile(gemm_64x128).resident())
    linear_64x128(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_64x128, RowsGather, BoxedRows::plain, GemmKind::joined>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_64x128_sliced).threads(),
                                             rows_tile(gemm_64x128_sliced).resident())
    linear_sliced_64x128(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_64x128_sliced, RowsGather, BoxedRows::plain, GemmKind::joined>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_64x64).threads(),
                                             rows_tile(gemm_64x64).resident())
    linear_64x64(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_64x64, RowsGather, BoxedRows::plain, GemmKind::joined>(a);
}

extern "C" __global__ void __launch_bounds__(rows_tile(gemm_128x160).threads(),
                                             rows_tile(gemm_128x160).resident())
    linear_geglu_128x160(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_128x160, RowsGather, BoxedRows::plain, GemmKind::gated>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_paired_128x160).threads(),
                                             rows_tile(gemm_paired_128x160).resident())
    linear_geglu_paired_128x160(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_paired_128x160, RowsGather, BoxedRows::plain, GemmKind::gated>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_128x128).threads(),
                                             rows_tile(gemm_128x128).resident())
    linear_geglu_128x128(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_128x128, RowsGather, BoxedRows::plain, GemmKind::gated>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_64x160).threads(),
                                             rows_tile(gemm_64x160).resident())
    linear_geglu_64x160(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_64x160, RowsGather, BoxedRows::plain, GemmKind::gated>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_64x128).threads(),
                                             rows_tile(gemm_64x128).resident())
    linear_geglu_64x128(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_64x128, RowsGather, BoxedRows::plain, GemmKind::gated>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_64x128_sliced).threads(),
                                             rows_tile(gemm_64x128_sliced).resident())
    linear_geglu_sliced_64x128(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_64x128_sliced, RowsGather, BoxedRows::plain, GemmKind::gated>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_64x64).threads(),
                                             rows_tile(gemm_64x64).resident())
    linear_geglu_64x64(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_64x64, RowsGather, BoxedRows::plain, GemmKind::gated>(a);
}

}  // namespace tintype::cuda
