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
  const MatrixRows rows{args.x, args.k};
  multiply(args.algorithm, {shape_of(args), rows.source(), args.w, epilogue}, exec);
}

ScratchSize linear_scratch(const LinearArgs& args) {
  return multiply_scratch(args.algorithm, shape_of(args), args.w, false);
}

void linear_geglu(const LinearGegluArgs& all, const Exec& exec) {
  with_normed_rows(all, exec, [](const LinearGegluArgs& args, const Exec& rest) {
    const float* scales = scales_of(args.w, args.n2, args.k);
    const Epilogue epilogue{scales, args.bias, nullptr, 1, Activation::none, nullptr, args.y};
    const MatrixRows rows{args.x, args.k};
    multiply(args.algorithm, {shape_of(args), rows.source(), args.w, epilogue, true}, rest);
  });
}

ScratchSize linear_geglu_scratch(const LinearGegluArgs& args) {
  ScratchSize size = multiply_scratch(args.algorithm, shape_of(args), args.w, true);
  size.shared += normed_bytes(args);
  return size;
}

}  // namespace tintype::TINTYPE_ISA
