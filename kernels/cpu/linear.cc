// Linear layers: the GEMM over the rows of a matrix.
#include "gemm.h"

namespace tintype::TINTYPE_ISA {
namespace {

GemmShape shape_of(const LinearArgs& args) {
  return {args.m, args.n, args.k};
}

int64_t point_rows(const void* context, int64_t m, int rows, int64_t k, const float** row) {
  const LinearArgs& args = *static_cast<const LinearArgs*>(context);
  for (int i = 0; i < rows; i++) row[i] = args.x + (m + i) * args.k + k;
  return args.k - k;
}

}  // namespace

void linear(const LinearArgs& args, const Exec& exec) {
  const Epilogue epilogue{args.bias, nullptr, 1, args.activation, args.residual, args.y};
  gemm({shape_of(args), {&args, point_rows}, args.w, epilogue}, exec);
}

size_t linear_scratch(const LinearArgs& args) {
  return gemm_scratch(shape_of(args));
}

}  // namespace tintype::TINTYPE_ISA
