// Packing of matrix weights: from the file's layout into the panels that the GEMM reads, in the stored type.
#pragma once
#include "args.gen.h"

namespace tintype {

// A linear weight is (n, k) with taps = 1; a convolution weight (n, c, kh, kw) has taps = kh * kw and
// k = c * taps. In the panels the products of a row run over taps first and channels last, as NHWC reads.
struct MatrixShape {
  int64_t n, k, taps;
};

struct PackMatrix {
  MatrixShape shape;
  DType dtype;
  const void* src;  // as in the file
  void* dst;        // packed_bytes() bytes, 64-byte aligned
};

}  // namespace tintype
