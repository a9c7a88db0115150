// Packing of matrix weights for the GEMM: rows of elements, taps first and channels last, as NHWC reads.
#pragma once
#include "../pack.h"

namespace tintype::cuda {

// Elements from one row to the next: copies of 16 bytes begin at multiples of 16.
constexpr int64_t packed_columns(int64_t k) {
  return (k + 7) / 8 * 8;
}

constexpr size_t packed_bytes(const MatrixShape& shape) {
  return static_cast<size_t>(shape.n * packed_columns(shape.k)) * 2;
}

// Gated products: B has rows of values and of gates in turns, eight at a time, and y half as many columns as
// B rows. The bias is that of all values, then that of all gates, as both lie in the file.
inline constexpr int gate_rows = 8;
enum class RowOrder { plain, gated };

// Converts to `to`, fp16 or bf16; columns behind the last are 0.
void pack_matrix(const PackMatrix& pack, DType to, RowOrder order = RowOrder::plain);

// A layer norm folded into the matrix behind it. With u the row of x less its mean and over its deviation,
//   norm(x) w^T = (u * scale + shift) w^T = u folded^T / factor + shifts
//               = (x folded^T - mean(x) * sums) / (factor * deviation(x)) + shifts,
// where folded = w * scale * factor by column, sums are those of its rows as they are after rounding, and
// shifts are w shift^T. The factor, a power of two, keeps small products from the subnormal halves: the
// largest is in [1/2, 1).
struct NormVectors {
  const float *scale, *shift;  // (k)
};

// Behind the packed matrix there are, in float32, sums, shifts, and 1 / factor.
struct FoldedNorm {
  const float *sums, *shifts, *inverse_factor;
};

constexpr int64_t folded_rows(int64_t n) {
  return (n + 7) / 8 * 8;  // those behind the last are 0
}

constexpr size_t folded_bytes(const MatrixShape& shape) {
  return packed_bytes(shape) + static_cast<size_t>(2 * folded_rows(shape.n) + 1) * sizeof(float);
}

inline FoldedNorm folded_norm(const void* matrix, const MatrixShape& shape) {
  const auto* sums = reinterpret_cast<const float*>(static_cast<const char*>(matrix) + packed_bytes(shape));
  return {sums, sums + folded_rows(shape.n), sums + 2 * folded_rows(shape.n)};
}

// Of a linear layer: taps = 1.
void fold_matrix(const PackMatrix& pack, DType to, RowOrder order, const NormVectors& norm);

// Outputs (2i + down, 2j + right) of a 3x3 convolution, with a border of one, of a picture whose pixels are
// repeated: each quarter of them is a 2x2 convolution of the picture itself, whose first tap meets pixel
// (i - 1 + down, j - 1 + right). Along a column or a row,
//   y[2i]     = w0 x[i - 1] + (w1 + w2) x[i],
//   y[2i + 1] = (w0 + w1) x[i] + w2 x[i + 1].
inline constexpr int quarters = 4;  // number 2 down + right
inline constexpr int quarter_taps = 4;

// One quarter of the weights, of shape (o, c * 9, 9).
constexpr MatrixShape quarter_shape(const MatrixShape& shape) {
  return {shape.n, shape.k / shape.taps * quarter_taps, quarter_taps};
}

constexpr size_t quartered_bytes(const MatrixShape& shape) {
  return quarters * packed_bytes(quarter_shape(shape));
}

// One quarter below the other, each as pack_matrix has it; taps are summed in float32.
void quarter_matrix(const PackMatrix& pack, DType to);

// Any of the float types to float32.
void widen_vector(const void* src, DType dtype, float* dst, int64_t count);

}  // namespace tintype::cuda
