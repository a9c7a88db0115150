#include "linear.h"

#include <algorithm>
#include <iterator>

#include "pack.h"
#include "table.h"

namespace tintype::cuda {

namespace {

// Rows of A must begin at multiples of 16 bytes, or be gathered element by element.
bool aligned(int64_t k) {
  return k % 8 == 0;
}

Copying copying_of(const GemmSize& size, const Gpu& gpu) {
  return aligned(size.k) && has_warpgroups(gpu.architecture) ? Copying::engine : Copying::threads;
}

GemmVariant variant_of(GemmSize size, const Gpu& gpu) {
  static const GemmTile* const any[] = {&gemm_64x64};
  static const GemmTile* const rows[] = {&gemm_128x160, &gemm_paired_128x160, &gemm_128x128, &gemm_64x160,
                                         &gemm_64x128,  &gemm_64x128_sliced,  &gemm_64x64};
  size.copying = copying_of(size, gpu);
  if (!aligned(size.k)) return choose_gemm(size, any, gpu);
  return choose_gemm(size, rows, gpu);
}

// A as a picture: every row one of its own, with one pixel.
GemmArgs matrix_args(const float* x, const GemmSize& size) {
  GemmArgs args = {};
  args.a = x;
  args.m = static_cast<int32_t>(size.m);
  args.n = static_cast<int32_t>(size.n);
  args.k = static_cast<int32_t>(size.k);
  args.b_stride = static_cast<int32_t>(packed_columns(size.k));
  args.layer_count = static_cast<int32_t>(size.layers);
  args.row_bias_period = 1;
  args.h = args.w = args.ho = args.wo = args.kh = args.kw = args.stride = 1;
  args.c = args.k;
  return args;
}

template <class Args>
GemmSize size_of(const Args& a) {
  return {a.m, a.n, a.k};
}
GemmSize size_of(const LinearGegluArgs& a) {
  return {a.m, a.n2, a.k, 1, a.gamma != nullptr};
}
// Layers that are there are the first ones.
GemmSize size_of(const ProjectionsArgs& a) {
  const Weight weights[] = {a.w0, a.w1, a.w2, a.w3, a.w4, a.w5};
  const auto layers =
      std::count_if(std::begin(weights), std::end(weights), [](const Weight& w) { return w.data; });
  return {a.m, a.n, a.k, layers, a.gamma != nullptr};
}

GemmLayer layer_of(const Weight& w, const float* bias, float* y, const GemmSize& size) {
  const bool has_norm = size.has_norm && w.data;
  return {w.data, bias, y, has_norm ? folded_norm(w.data, {size.n, size.k, 1}) : FoldedNorm{}};
}

// By `kernel`, or element by element by `any`.
void run(const char* kernel, const char* any, const GemmArgs& args, const GemmSize& size,
         Launcher& launcher) {
  const GemmVariant variant = variant_of(size, launcher.gpu());
  if (copying_of(size, launcher.gpu()) == Copying::engine) {
    const int64_t columns = args.second ? args.first_k : args.k;
    const BoxedTensor second =
        args.second ? boxed_rows(args.second, args.m, args.k - columns) : BoxedTensor{};
    run_boxed_gemm(kernel, args, variant, launcher, boxed_rows(args.a, args.m, columns), second);
  } else {
    run_gemm(aligned(size.k) ? kernel : any, args, variant, launcher);
  }
}

}  // namespace

size_t linear_workspace(const LinearArgs& a, const Gpu& gpu) {
  return gemm_workspace(variant_of(size_of(a), gpu), size_of(a));
}

size_t linear_geglu_workspace(const LinearGegluArgs& a, const Gpu& gpu) {
  return gemm_workspace(variant_of(size_of(a), gpu), size_of(a));
}

size_t projections_workspace(const ProjectionsArgs& a, const Gpu& gpu) {
  return gemm_workspace(variant_of(size_of(a), gpu), size_of(a));
}

void run_linear(const LinearArgs& a, const RowBias& row_bias, Launcher& launcher) {
  GemmArgs args = matrix_args(a.x, size_of(a));
  args.layers[0] = layer_of(a.w, a.bias, a.y, size_of(a));
  args.row_bias = row_bias.rows;
  args.row_bias_period = static_cast<int32_t>(row_bias.period);
  args.residual = a.residual;
  args.activation = a.activation;
  run("linear", "gemm_any", args, size_of(a), launcher);
}

void linear(const LinearArgs& a, Launcher& launcher) {
  run_linear(a, {nullptr, 1}, launcher);
}

void projections(const ProjectionsArgs& a, Launcher& launcher) {
  const GemmSize size = size_of(a);
  GemmArgs args = matrix_args(a.x, size);
  const Weight weights[] = {a.w0, a.w1, a.w2, a.w3, a.w4, a.w5};
  const float* const biases[] = {a.bias0, a.bias1, a.bias2, a.bias3, a.bias4, a.bias5};
  float* const results[] = {a.y0, a.y1, a.y2, a.y3, a.y4, a.y5};
  for (int i = 0; i < gemm_layers; i++) args.layers[i] = layer_of(weights[i], biases[i], results[i], size);
  args.activation = a.activation;
  args.eps = a.eps;
  run("linear", "gemm_any", args, size, launcher);
}

size_t concat_linear_workspace(const ConcatLinearArgs& a, const Gpu& gpu) {
  return gemm_workspace(variant_of(size_of(a), gpu), size_of(a));
}

void concat_linear(const ConcatLinearArgs& a, Launcher& launcher) {
  GemmArgs args = matrix_args(a.a, size_of(a));
  args.second = a.b;
  args.first_k = static_cast<int32_t>(a.ca);
  args.residual = a.residual;
  args.layers[0] = layer_of(a.w, a.bias, a.y, size_of(a));
  run("concat_linear", nullptr, args, size_of(a), launcher);
}

void linear_geglu(const LinearGegluArgs& a, Launcher& launcher) {
  const GemmSize size = size_of(a);
  GemmArgs args = matrix_args(a.x, size);
  args.layers[0] = layer_of(a.w, a.bias, a.y, size);
  args.eps = a.eps;
  run("linear_geglu", "gemm_any_geglu", args, size, launcher);
}

}  // namespace tintype::cuda
