// Linear layers, plain and gated: the GEMM over the rows of a matrix.
#include "gemm.h"
#include "gemm_panels.h"
#include "normed_rows.h"
#include "strassen.h"

namespace tintype::TINTYPE_ISA {
namespace {

template <class Args>
GemmShape shape_of(const Args& args) {
  return {args.m, args.n, args.k};
}

template <class Args>
int64_t point_rows(const void* context, int64_t m, int rows, int64_t k, const float** row) {
  const Args& args = *static_cast<const Args*>(context);
  for (int i = 0; i < rows; i++) row[i] = args.x + (m + i) * args.k + k;
  return args.k - k;
}

bool takes_strassen(ProductAlgorithm algorithm, const Weight& w) {
  return algorithm == ProductAlgorithm::strassen && strassen_takes(w.dtype);
}

void multiply(ProductAlgorithm algorithm, const GemmArgs& args, const Exec& exec) {
  if (takes_strassen(algorithm, args.w)) return strassen(args, exec);
  gemm(args, exec);
}

ScratchSize multiply_scratch(ProductAlgorithm algorithm, const GemmShape& shape, const Weight& w,
                             bool gated) {
  return takes_strassen(algorithm, w) ? strassen_scratch(shape, gated) : gemm_scratch(shape, w.dtype, gated);
}

}  // namespace

void linear(const LinearArgs& args, const Exec& exec) {
  const float* scales = scales_of(args.w, args.n, args.k);
  const Epilogue epilogue{scales, args.bias, nullptr, 1, args.activation, args.residual, args.y};
  multiply(args.algorithm, {shape_of(args), {&args, point_rows<LinearArgs>}, args.w, epilogue}, exec);
}

ScratchSize linear_scratch(const LinearArgs& args) {
  return multiply_scratch(args.algorithm, shape_of(args), args.w, false);
}

void linear_geglu(const LinearGegluArgs& all, const Exec& exec) {
  with_normed_rows(all, exec, [](const LinearGegluArgs& args, const Exec& rest) {
    const float* scales = scales_of(args.w, args.n2, args.k);
    const Epilogue epilogue{scales, args.bias, nullptr, 1, Activation::none, nullptr, args.y};
    const GemmSource rows{&args, point_rows<LinearGegluArgs>};
    multiply(args.algorithm, {shape_of(args), rows, args.w, epilogue, true}, rest);
  });
}

ScratchSize linear_geglu_scratch(const LinearGegluArgs& args) {
  ScratchSize size = multiply_scratch(args.algorithm, shape_of(args), args.w, true);
  size.shared += normed_bytes(args);
  return size;
}

}  // namespace tintype::TINTYPE_ISA
