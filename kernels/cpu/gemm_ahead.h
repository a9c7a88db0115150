// What the GEMM asks the caches for ahead of time: the lines of y that a tile goes to, the next weights, and
// the rows of A that are copied next.
#pragma once
#include "gemm.h"
#include "gemm_epilogue.h"
#include "gemm_rows.h"
#include "gemm_tile.h"

namespace tintype::TINTYPE_ISA {
namespace {

// Cache lines one after the other.
struct Lines {
  const float* first = nullptr;
  int64_t count = 0;

  Lines take(int64_t most) {
    const Lines taken{first, min(most, count)};
    first += taken.count * kLine;
    count -= taken.count;
    return taken;
  }
};
inline Lines lines_of(const void* from, int64_t bytes) {
  return {static_cast<const float*>(from), bytes / static_cast<int64_t>(kLine * sizeof(float))};
}

// The lines of y that a tile goes to. y is written a few cache lines in each of many rows, which no hardware
// prefetcher foresees: asking for them ahead of time is worth 8 % at m=4096 n=1280 k=320.
struct LinesOfY {
  const float* first = nullptr;
  int64_t rows = 0;
  int64_t stride = 0;  // floats from row to row
  int64_t lines = 0;   // of a row
};
TINTYPE_INLINE LinesOfY lines_of_y(const GemmArgs& args, int64_t m, int rows, int64_t first, int64_t width) {
  const int64_t n = args.shape.n;
  if (!args.gated && goes_past_caches(args.epilogue, args.shape)) return {};
  return {args.epilogue.y + m * n + first, rows, n, ceil_div(min(width, n - first), kLine)};
}

// What a tile asks for while it is multiplied: for each group of the depth a row of the lines of y, `each` of
// its part of the next weights, and a line of a row of A.
class TileAhead {
 public:
  TileAhead(const LinesOfY& y, const Lines& weights, int64_t each, const Lines& row)
      : y_(y), weights_(weights), each_(each), row_(row) {}

  TINTYPE_INLINE void ask() {
    if (y_.rows > 0) ask_for_row();
    for (int64_t i = 0; i < each_ && weights_.count > 0; i++) prefetch_to_l2(weights_.take(1).first);
    if (row_.count > 0) prefetch_to_l2(row_.take(1).first);
  }
  TINTYPE_INLINE void ask_for_all() {
    while (row_.count > 0) prefetch_to_l2(row_.take(1).first);
    while (weights_.count > 0) prefetch_to_l2(weights_.take(1).first);
    while (y_.rows > 0) ask_for_row();
  }

 private:
  TINTYPE_INLINE void ask_for_row() {
    for (int64_t i = 0; i < y_.lines; i++) prefetch(y_.first + i * kLine);
    y_.first += y_.stride;
    y_.rows--;
  }

  LinesOfY y_;
  Lines weights_;
  int64_t each_;
  Lines row_;
};

// The rows of A that are copied next, over a stretch of the depth, of which each tile asks for one, or for
// what lies together of one; the last of `tiles` for the last of them, so that they are not in L2 longer than
// they must. Worth 7 % at m=8192, n=320, k=320.
class NextRows {
 public:
  NextRows() = default;
  NextRows(const GemmSource& source, int64_t m, int64_t end, const Depth& depth, int64_t tiles)
      : source_(source), m_(m), end_(end), depth_(depth) {
    if (m_ < end_) skip_ = tiles - (end_ - m_) * ceil_div(depth_.count, run().count);
  }

  Lines take() {
    if (m_ >= end_ || skip_-- > 0) return {};
    const Run next = run();
    done_ += next.count;
    if (done_ == depth_.count) {
      m_++;
      done_ = 0;
    }
    return lines_of(next.first, next.count * static_cast<int64_t>(sizeof(float)));
  }

 private:
  struct Run {
    const float* first;
    int64_t count;
  };
  Run run() const {
    const float* row;
    const int64_t pointed = source_.point(source_.context, m_, 1, depth_.first + done_, &row);
    return {row, min(pointed, depth_.count - done_)};
  }

  GemmSource source_ = {};
  int64_t m_ = 0, end_ = 0;
  Depth depth_ = {};  // in numbers
  int64_t done_ = 0;
  int64_t skip_ = 0;
};

// The weights after these, of which each tile asks for a part: they are used for the first time then and come
// from memory, in pieces too short for hardware prefetchers. Worth 4 % at m=154.
class NextWeights {
 public:
  NextWeights(const Lines& lines, int64_t tiles, int64_t depth) : NextWeights(lines, {}, tiles, depth) {}
  NextWeights(const Lines& left, const Lines& right, int64_t tiles, int64_t depth)
      : left_(left),
        right_(right),
        part_(ceil_div(left.count + right.count, tiles)),
        each_(ceil_div(part_ * kDepthGroup, depth)) {}

  TINTYPE_INLINE TileAhead ahead(const LinesOfY& y, const Lines& row) {
    return {y, (left_.count > 0 ? left_ : right_).take(part_), each_, row};
  }

 private:
  Lines left_, right_;
  int64_t part_;  // of a tile
  int64_t each_;  // of a group of its depth
};

// A group of the depth has 112 FMAs with AVX-512: asking between them gains 1 to 5 %. With AVX2 it has 48,
// and asking for rows of y and for weights costs 3 to 10 %, though the one stream of winograd.cc gains there
// too. NEON has 112 as well: not measured.
constexpr bool kAsksWhileMultiplying = kWidth == 16;

template <int Vectors, class T>
TINTYPE_INLINE void multiply_rows_asking(int rows, const float* a, const T* w, int64_t depth, float* sums,
                                         bool fresh, TileAhead ahead) {
  if constexpr (kAsksWhileMultiplying) {
    multiply_rows<Vectors, InGroups>(rows, a, w, depth, sums, fresh, ahead);
  } else {
    ahead.ask_for_all();
    multiply_rows<Vectors, InGroups>(rows, a, w, depth, sums, fresh);
  }
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
