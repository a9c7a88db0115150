// Products of rows with a panel of kLanes transposed ones. A lane is a row of the panel, so that no length of
// rows wastes lanes, and what is done with the products of a lane (maxima, sums) is plain vector operations.
#pragma once
#include "elementwise.h"
#include "integers.h"
#include "pairs.h"
#include "simd.h"

namespace tintype::TINTYPE_ISA {
namespace {

// A micro-kernel keeps kRows x kLanes sums in registers: 12 x 2 and 14 x 2 fill 32 registers, 6 x 2 fills 16.
constexpr int kVectors = 2;
constexpr int kLanes = kVectors * kWidth;
constexpr int kRows = kRegisters == 32 ? 14 : kWidth == 8 ? 6 : 4;

// Floats from one copied row to the next: an odd number of cache lines, so that they fall into different
// sets.
inline int64_t pitch_of(int64_t d) {
  return (ceil_div(d, 16) | 1) * 16;
}

template <int value>
struct Rows {
  static constexpr int count = value;
};

// Calls f(first, Rows) for [0, total) in about equal parts of at most kRows: 77 keys are five times 13 and
// one 12, not five times 14 and one 7.
template <class F>
void in_rows(int64_t total, const F& f) {
  const int64_t parts = ceil_div(total, kRows);
  for (int64_t part = 0; part < parts; part++) {
    const int64_t first = total * part / parts;
    const auto call = [&]<int rows>(const auto& self, Rows<rows> count, int64_t wanted) {
      if constexpr (rows > 1) {
        if (wanted < rows) return self(self, Rows<rows - 1>{}, wanted);
      }
      f(first, count);
    };
    call(call, Rows<kRows>{}, total * (part + 1) / parts - first);
  }
}

// panel (d, kLanes) = `count` rows of d floats, transposed, and 0 in the lanes behind them. load_at(lane, l,
// columns) gives a vector of elements from l on of the row of a lane: AllLanes of it, or its FirstLanes.
template <class F>
void fill_panel(float* panel, int64_t count, int64_t d, const F& load_at) {
  for (int64_t lane = 0; lane < kLanes; lane += kWidth) {
    each_vector(0, d, [&](int64_t l, auto columns) {
      Vec rows[kWidth];
      for (int64_t i = 0; i < kWidth; i++) {
        rows[i] = lane + i < count ? load_at(lane + i, l, columns) : broadcast(0.0f);
      }
      transpose(rows);
      for (int64_t i = 0; i < min(d - l, kWidth); i++) store(panel + (l + i) * kLanes + lane, rows[i]);
    });
  }
}

// sums[r] = the products of row r with each lane of the panel, over their d elements: numbers or pairs of
// them.
template <int rows, class T = float>
TINTYPE_INLINE void multiply_lanes(const float* row, int64_t pitch, int64_t d, const float* panel,
                                   Vec (&sums)[rows][kVectors]) {
  for (int r = 0; r < rows; r++) {
    for (int v = 0; v < kVectors; v++) sums[r][v] = broadcast(0.0f);
  }
#pragma GCC unroll 2
  for (int64_t l = 0; l < d; l++) {
    Vec column[kVectors];
    for (int v = 0; v < kVectors; v++) column[v] = load(panel + l * kLanes + v * kWidth);
    for (int r = 0; r < rows; r++) {
      const Vec element = broadcast(row[r * pitch + l]);
      for (int v = 0; v < kVectors; v++) sums[r][v] = add_product<T>(element, column[v], sums[r][v]);
    }
  }
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
