// The innermost part of the GEMM: a tile of sums held in registers.
#pragma once
#include "gemm_panels.h"
#include "pairs.h"

namespace tintype::TINTYPE_ISA {
namespace {

// kTileRows x 2 sums, two vectors of w and a broadcast element of A fill the registers.
constexpr int kTileRows = kRegisters == 32 ? 14 : 6;

// The deepest tile, such that a panel of w of kDepth floats fills most of L1.
constexpr int64_t kDepth = 256;

// Columns of A that are multiplied in one go of the loop. Where a core serves another thread besides, it
// decodes half as much a cycle, and the loop's own instructions tell: four columns are then 15 % faster than
// one, and otherwise as fast.
constexpr int64_t kDepthGroup = 4;

// Where element (i, k) of a tile of A lies: i * row + k / kDepthGroup * group + k % kDepthGroup. Both are
// known to the compiler, so that one register addresses all rows.
template <int64_t Stride>
struct InRows {
  template <int Rows>
  static constexpr int64_t row = Stride;
  template <int Rows>
  static constexpr int64_t group = kDepthGroup;
};
// The rows of a group one after the other, and then the next group: all that a loop reads is one stream,
// which is 3 % faster than a stream for each row. Transposing A into columns, as is usual, costs four times
// as much as copying groups.
struct InGroups {
  template <int Rows>
  static constexpr int64_t row = kDepthGroup;
  template <int Rows>
  static constexpr int64_t group = Rows * kDepthGroup;
};

// What a tile asks the caches for while it is multiplied: ask() is called for each group of the depth. Asked
// for all at once, lines would hold up the tile's own reads: a core has some twenty on their way at a time.
struct NothingAhead {
  TINTYPE_INLINE void ask() {}
};

template <int Steps, int64_t Row, class T, int Rows, int Vectors>
TINTYPE_INLINE void multiply_steps(const float* a, const T* w, Vec (&sum)[Rows][Vectors]) {
#pragma GCC unroll 4
  for (int k = 0; k < Steps; k++) {
    Vec column[Vectors];
#pragma GCC unroll 2
    for (int j = 0; j < Vectors; j++) column[j] = load(w + (k * Vectors + j) * kWidth);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; i++) {
      const Vec element = broadcast(a[i * Row + k]);
#pragma GCC unroll 2
      for (int j = 0; j < Vectors; j++) sum[i][j] = add_product<T>(element, column[j], sum[i][j]);
    }
  }
}

// sums (Rows, Vectors * kWidth) += a (Rows, depth) w (depth, Vectors * kWidth), or = if fresh. Products are
// summed apart from the sums there were: a sum of parts is more exact than one long sum, whose every term is
// rounded to the size of the whole.
// Bound: FMA ports, Rows * Vectors FMAs for Rows + Vectors loads. Where w has pairs of bf16 a has too, and a
// step of the depth is a pair.
template <int Rows, int Vectors, class Layout, class T, class Ahead>
TINTYPE_NOINLINE void multiply_tile(const float* a, const T* w, int64_t depth, float* sums, bool fresh,
                                    Ahead ahead) {
  constexpr int kColumns = Vectors * kWidth;
  constexpr int64_t row = Layout::template row<Rows>, group = Layout::template group<Rows>;
  Vec sum[Rows][Vectors];
#pragma GCC unroll 16
  for (int i = 0; i < Rows; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < Vectors; j++) sum[i][j] = broadcast(0);
  }
  for (; depth >= kDepthGroup; depth -= kDepthGroup, a += group, w += kDepthGroup * kColumns) {
    ahead.ask();
    multiply_steps<kDepthGroup, row>(a, w, sum);
  }
  for (; depth > 0; depth--, a++, w += kColumns) multiply_steps<1, row>(a, w, sum);
#pragma GCC unroll 16
  for (int i = 0; i < Rows; i++) {
#pragma GCC unroll 2
    for (int j = 0; j < Vectors; j++) {
      float* to = sums + i * kColumns + j * kWidth;
      store(to, fresh ? sum[i][j] : load(to) + sum[i][j]);
    }
  }
}

template <int Vectors, class Layout, int Rows = kTileRows, class T, class Ahead = NothingAhead>
void multiply_rows(int rows, const float* a, const T* w, int64_t depth, float* sums, bool fresh,
                   Ahead ahead = {}) {
  if (rows == Rows) return multiply_tile<Rows, Vectors, Layout>(a, w, depth, sums, fresh, ahead);
  if constexpr (Rows > 1) multiply_rows<Vectors, Layout, Rows - 1>(rows, a, w, depth, sums, fresh, ahead);
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
