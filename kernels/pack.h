// Packing of matrix weights: from the file's layout into the panels that the GEMM reads, in the stored
// type, in int8 or in pairs of bf16.
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

// pack_pairs() packs to bf16_pairs: k is even, taps is 1. Numbers are rounded to nearest, ties to even;
// elements 2i and 2i + 1 of a row lie side by side in row i of a panel.

// To int8: a row, which is an output channel, becomes the nearest multiples of its own scale, a 127th of its
// largest magnitude. The panels hold the integers, the scales (n) lie behind them in float32. A row of zeros
// has the scale 0, one with NaN or an infinity cannot be held: then quantize_matrix() returns false.
struct QuantizeMatrix {
  MatrixShape shape;
  DType dtype;  // of src
  void* src;    // as in the file; overwritten
  void* dst;    // packed_bytes() bytes for i8, 64-byte aligned
};

}  // namespace tintype
