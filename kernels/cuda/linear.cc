#include "linear.h"

#include "pack.h"
#include "table.h"

namespace tintype::cuda {

namespace {

// Rows of A must begin at multiples of 16 bytes, or be gathered element by element.
bool aligned(int64_t k) {
  return k % 8 == 0;
}

GemmVariant variant_of(int64_t m, int64_t n, int64_t k, const Gpu& gpu) {
  static const GemmTile* const any[] = {&gemm_64x64};
  static const GemmTile* const rows[] = {&gemm_128x160, &gemm_128x128, &gemm_64x64};
  if (!aligned(k)) return choose_gemm(m, n, k, any, gpu);
  return choose_gemm(m, n, k, rows, gpu);
}

// A as a picture: every row one of its own, with one pixel.
GemmArgs matrix_args(const float* x, const Weight& w, int64_t m, int64_t n, int64_t k) {
  GemmArgs args = {};
  args.a = x;
  args.b = w.data;
  args.m = static_cast<int32_t>(m);
  args.n = static_cast<int32_t>(n);
  args.k = static_cast<int32_t>(k);
  args.b_stride = static_cast<int32_t>(packed_columns(k));
  args.row_bias_period = 1;
  args.h = args.w = args.ho = args.wo = args.kh = args.kw = args.stride = 1;
  args.c = args.k;
  return args;
}

}  // namespace

size_t linear_workspace(const LinearArgs& a, const Gpu& gpu) {
  return gemm_workspace(variant_of(a.m, a.n, a.k, gpu), a.m, a.n);
}

size_t linear_geglu_workspace(const LinearGegluArgs& a, const Gpu& gpu) {
  return gemm_workspace(variant_of(a.m, a.n2, a.k, gpu), a.m, a.n2);
}

void run_linear(const LinearArgs& a, const RowBias& row_bias, Launcher& launcher) {
  GemmArgs args = matrix_args(a.x, a.w, a.m, a.n, a.k);
  args.bias = a.bias;
  args.row_bias = row_bias.rows;
  args.row_bias_period = static_cast<int32_t>(row_bias.period);
  args.residual = a.residual;
  args.y = a.y;
  args.activation = a.activation;
  const GemmNames names = {aligned(a.k) ? "linear" : "gemm_any", "gemm_reduce"};
  run_gemm(names, args, variant_of(a.m, a.n, a.k, launcher.gpu()), launcher);
}

void linear(const LinearArgs& a, Launcher& launcher) {
  run_linear(a, {nullptr, 1}, launcher);
}

void linear_geglu(const LinearGegluArgs& a, Launcher& launcher) {
  GemmArgs args = matrix_args(a.x, a.w, a.m, a.n2, a.k);
  args.bias = a.bias;
  args.y = a.y;
  const GemmNames names = {aligned(a.k) ? "linear_geglu" : "gemm_any_geglu", "gemm_reduce_geglu"};
  run_gemm(names, args, variant_of(a.m, a.n2, a.k, launcher.gpu()), launcher);
}

}  // namespace tintype::cuda
