// The innermost parts of the GEMM: a tile of sums held in registers, and the transposition that feeds it.
#pragma once
#include "gemm_panels.h"

namespace tintype::TINTYPE_ISA {
namespace {

// kTileRows x 2 sums, two vectors of w and a broadcast element of A fill the registers.
constexpr int kTileRows = kRegisters == 32 ? 12 : 6;

// sums (Rows, Vectors * kWidth) += a (depth, Rows)^T w (depth, Vectors * kWidth); they start from 0 if fresh.
// Bound: one FMA a cycle and port; Rows * Vectors FMAs for Rows + Vectors loads.
template <int Rows, int Vectors, class T>
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
  for (int64_t k = 0; k < depth; k++, a += Rows, w += kColumns) {
    Vec column[Vectors];
#pragma GCC unroll 2
    for (int j = 0; j < Vectors; j++) column[j] = load(w + j * kWidth);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; i++) {
      const Vec element = broadcast(a[i]);
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

template <int Vectors, class T, int Rows = kTileRows>
void multiply_rows(int rows, const float* a, const T* w, int64_t depth, float* sums, bool fresh) {
  if (rows == Rows) return multiply_tile<Rows, Vectors>(a, w, depth, sums, fresh);
  if constexpr (Rows > 1) multiply_rows<Vectors, T, Rows - 1>(rows, a, w, depth, sums, fresh);
}

// tile (count, rows) = row (rows, count)^T. Groups of four rows are stored as whole vectors of four: what the
// last group writes too much falls into the next line and is overwritten there, or in up to 3 floats behind
// the tile.
inline void transpose_rows(const float** row, int rows, int64_t count, float* tile) {
  const int groups = (rows + 3) / 4;
  for (int i = rows; i < groups * 4; i++) row[i] = row[rows - 1];
  int64_t k = 0;
  for (; k + 4 <= count; k += 4) {
    for (int group = groups - 1; group >= 0; group--) {
      transpose4(row + group * 4, k, tile + k * rows + group * 4, rows);
    }
  }
  for (; k < count; k++) {
    for (int i = 0; i < rows; i++) tile[k * rows + i] = row[i][k];
  }
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
