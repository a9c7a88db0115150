// Rows of A on their way into the layout that the tiles of the GEMM read.
#pragma once
#include <cstring>

#include "gemm.h"
#include "gemm_tile.h"
#include "pairs.h"

namespace tintype::TINTYPE_ISA {
namespace {

// Rows that are multiplied together, cut into tiles of the same height as far as possible. Tile by tile lie
// the copies of rows and the sums.
struct Tiling {
  int64_t rows;
  int64_t tiles, height;
  explicit Tiling(int64_t count) : rows(count) {
    tiles = ceil_div(rows, kTileRows);
    height = ceil_div(rows, tiles);
  }
  int64_t row(int64_t tile) const { return tile * height; }
  int rows_of(int64_t tile) const { return static_cast<int>(min(height, rows - row(tile))); }
};

// Columns [k, k + count) of a row of the tile.
inline void copy_run(const float* from, int64_t k, int64_t count, float* row, int64_t group) {
  float* to = row + k / kDepthGroup * group;
  const int64_t head = min((kDepthGroup - k % kDepthGroup) % kDepthGroup, count);
  for (int64_t i = 0; i < head; i++) to[k % kDepthGroup + i] = from[i];
  if (head > 0) to += group;
  int64_t i = head;
  for (; i + kDepthGroup <= count; i += kDepthGroup, to += group)
    std::memcpy(to, from + i, kDepthGroup * sizeof(float));
  for (; i < count; i++) *to++ = from[i];
}

// A stretch of the depth.
struct Depth {
  int64_t first, count;
};

// Rows [m, m + rows) of A over a stretch of the depth as a tile of `height` rows, laid out as InGroups has
// it.
template <class T>
void copy_tile(const GemmSource& source, int64_t m, int rows, Depth depth, float* tile, int height) {
  const float* row[kTileRows];
  for (int64_t done = 0; done < depth.count;) {
    const int64_t pointed = source.point(source.context, m, rows, (depth.first + done) * kNumbers<T>, row);
    const int64_t count = min(pointed / kNumbers<T>, depth.count - done);
    for (int i = 0; i < rows; i++) {
      float pairs[kNumbers<T> == 2 ? kMaxDepth : 1];
      if constexpr (kNumbers<T> == 2) {
        narrow(row[i], 2 * count, pairs);
        row[i] = pairs;
      }
      copy_run(row[i], done, count, tile + i * kDepthGroup, height * kDepthGroup);
    }
    done += count;
  }
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
