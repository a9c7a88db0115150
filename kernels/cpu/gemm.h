// y = epilogue(A w^T): the one matrix product under linear and conv2d. A comes row by row from a source,
// which is how a convolution gets its implicit im2col; w lies in the panels of gemm_panels.h in its stored
// type, as the integers of an int8 weight, whose scales are for the epilogue, or as pairs of bf16: then A is
// rounded to such pairs while it is copied, and a step of the depth is a pair.
#pragma once
#include "../args.gen.h"
#include "../exec.h"

namespace tintype::TINTYPE_ISA {

struct GemmShape {
  int64_t m, n, k;
};

// The rows of A. point() sets row[i] to the numbers of row m + i from column k on, and returns how many of
// them lie one after the other, the same for all rows, at least 1. At most kMostRead of them are read at a
// time.
struct GemmSource {
  const void* context;
  int64_t (*point)(const void* context, int64_t m, int rows, int64_t k, const float** row);
};
constexpr int64_t kMaxDepth = 256;  // of a tile, in numbers or pairs of them
constexpr int64_t kMostRead = 2 * kMaxDepth;

// Rows that lie one after the other: of a matrix, or the pixels of a picture.
struct MatrixRows {
  const float* x;
  int64_t k;

  static int64_t point(const void* context, int64_t m, int rows, int64_t k, const float** row) {
    const MatrixRows& of = *static_cast<const MatrixRows*>(context);
    for (int i = 0; i < rows; i++) row[i] = of.x + (m + i) * of.k + k;
    return of.k - k;
  }
  // While these rows live.
  GemmSource source() const { return {this, point}; }
};

// y = activation(sum * scale + bias + rowBias[m / period]) + residual, applied once to each element's full
// sum.
struct Epilogue {
  const float* scales;    // (n) of an int8 weight, or null
  const float* bias;      // (n), or null
  const float* row_bias;  // (ceil(m / period), n), or null
  int64_t period;
  Activation activation;
  const float* residual;  // (m, n), or null
  float* y;               // (m, n), may be residual
};

struct GemmArgs {
  GemmShape shape;
  GemmSource source;
  Weight w;
  Epilogue epilogue;
  // w has 2n columns, n a multiple of kWidestPanel, and y = sum * gelu(the sum of the column n further on),
  // each with its scale and bias; nothing else of the epilogue applies.
  bool gated = false;
};
constexpr int64_t kWidestPanel = 32;

void gemm(const GemmArgs&, const Exec&);
ScratchSize gemm_scratch(const GemmShape&, DType of_w, bool gated = false);

}  // namespace tintype::TINTYPE_ISA
