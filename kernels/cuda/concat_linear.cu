// Linear layers of two values side by side, which nobody has copied so.
#include "gemm_boxed.cuh"

namespace tintype::cuda {

extern "C" __global__ void __launch_bounds__(rows_tile(gemm_128x160).threads(),
                                             rows_tile(gemm_128x160).resident())
    concat_linear_128x160(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_128x160, JoinedRowsGather, BoxedRows::joined, GemmKind::plain>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_paired_128x160).threads(),
                                             rows_tile(gemm_paired_128x160).resident())
    concat_linear_paired_128x160(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_paired_128x160, JoinedRowsGather, BoxedRows::joined, GemmKind::plain>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_128x128).threads(),
                                             rows_tile(gemm_128x128).resident())
    concat_linear_128x128(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_128x128, JoinedRowsGather, BoxedRows::joined, GemmKind::plain>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_64x160).threads(),
                                             rows_tile(gemm_64x160).resident())
    concat_linear_64x160(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_64x160, JoinedRowsGather, BoxedRows::joined, GemmKind::plain>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_64x128).threads(),
                                             rows_tile(gemm_64x128).resident())
    concat_linear_64x128(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_64x128, JoinedRowsGather, BoxedRows::joined, GemmKind::plain>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_64x128_sliced).threads(),
                                             rows_tile(gemm_64x128_sliced).resident())
    concat_linear_sliced_64x128(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_64x128_sliced, JoinedRowsGather, BoxedRows::joined, GemmKind::plain>(a);
}
extern "C" __global__ void __launch_bounds__(rows_tile(gemm_64x64).threads(),
                                             rows_tile(gemm_64x64).resident())
    concat_linear_64x64(const __grid_constant__ RowsGemmArgs a) {
  rows_gemm<gemm_64x64, JoinedRowsGather, BoxedRows::joined, GemmKind::plain>(a);
}

}  // namespace tintype::cuda
