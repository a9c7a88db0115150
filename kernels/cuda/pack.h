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

// Converts to `to`, fp16 or bf16; columns behind the last are 0.
void pack_matrix(const PackMatrix& pack, DType to);

// The rows of values and gates of a gated layer, which follow one another in the file, in turns (gate_rows).
void pack_gated_matrix(const PackMatrix& pack, DType to);

// Any of the float types to float32.
void widen_vector(const void* src, DType dtype, float* dst, int64_t count);

}  // namespace tintype::cuda
