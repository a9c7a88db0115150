// The innermost part of the GEMM: a tile of sums held in registers.
#pragma once
#include "gemm_panels.h"

namespace tintype::TINTYPE_ISA {
namespace {

// kTileRows x 2 sums, two vectors of w and a broadcast element of A fill the registers.
constexpr int kTileRows = kRegisters == 32 ? 14 : 6;

// The deepest tile, such that a panel of w of kDepth floats fills most of L1.
constexpr int64_t kDepth = 256;

// Rows of A lie this far apart: known to the compiler, so that one register addresses all of them, and an odd
// number of cache lines, so that they fall into different sets. Transposing A into columns instead, as is
// usual, costs four times as much as copying its rows and gains nothing in the loop.
constexpr int64_t kRowStride = kDepth + 16;

// sums (Rows, Vectors * kWidth) += a (Rows, depth) w (depth, Vectors * kWidth); they start from 0 if fresh.
// Rows of a lie Stride apart. Bound: FMA ports, Rows * Vectors FMAs for Rows + Vectors loads.
template <int Rows, int Vectors, int64_t Stride, class T>
void multiply_tile(const float* a, const T* w, int64_t depth, float* sums, bool fresh) {
  constexpr int kColumns = Vectors * kWidth;
  Vec sum[Rows][Vectors];
#pragma GCC unroll 16
  for (int i = 0; i < Rows; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < Vectors; j++) {
      sum[i][j] = fresh ? broadcast(0) : load(sums + i * kColumns + j * kWidth);
    }
  }
  for (int64_t k = 0; k < depth; k++, a++, w += kColumns) {
    Vec column[Vectors];
#pragma GCC unroll 2
    for (int j = 0; j < Vectors; j++) column[j] = load(w + j * kWidth);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; i++) {
      const Vec element = broadcast(a[i * Stride]);
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; j++) sum[i][j] = fma(element, column[j], sum[i][j]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < Rows; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < Vectors; j++) store(sums + i * kColumns + j * kWidth, sum[i][j]);
  }
}

template <int Vectors, int64_t Stride, class T, int Rows = kTileRows>
void multiply_rows(int rows, const float* a, const T* w, int64_t depth, float* sums, bool fresh) {
  if (rows == Rows) return multiply_tile<Rows, Vectors, Stride>(a, w, depth, sums, fresh);
  if constexpr (Rows > 1) multiply_rows<Vectors, Stride, T, Rows - 1>(rows, a, w, depth, sums, fresh);
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
