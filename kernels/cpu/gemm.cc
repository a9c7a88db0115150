// The blocked GEMM. A task is a block of rows times a block of columns over the whole depth, so that what it
// computes depends on the shape alone, whatever the number of threads. Within a task, after Goto and van de
// Geijn ("Anatomy of High-Performance Matrix Multiplication", 2008): for each stretch of the depth, the rows
// of A are copied together and stay in L2, and one widened panel of w at a time stays in L1 for all of them.
// Copies of all rows that take up to 8 MB, which most last-level caches hold, are made once, before the
// tasks.
#include "gemm.h"

#include <cstring>

#include "gemm_epilogue.h"
#include "gemm_tile.h"
#include "parallel.h"

namespace tintype::TINTYPE_ISA {
namespace {

static_assert(kDepth <= kMaxDepth);
static_assert(kWidestPanel % kPanel == 0);

// Rows and columns (in panels) of a task, and its stretch of depth.
struct Blocks {
  int64_t rows, panels, depth;
  bool share_rows = false;  // tasks do, rather than copy their own
};

// A row of A is copied once for each block of columns unless it is shared, an element of w widened once for
// each block of rows: blocks are as large and as square as leaves enough tasks for many threads. Few rows are
// one block: at m=154, n=768, k=3072 that and sharing them is worth 22 %.
Blocks choose_blocks(const GemmShape& shape) {
  constexpr int64_t kManyTasks = 32;
  constexpr int64_t kEnoughTasks = 16;
  constexpr int64_t kSmallSide = 96;
  constexpr int64_t kMostRows = 168;
  constexpr int64_t kSharedFloats = 2 << 20;  // 8 MB
  const int64_t panels = panel_count(shape.n);
  Blocks b{min(round_up(shape.m, kTileRows), kMostRows), min(panels, ceil_div(320, kPanel)), 0};
  if (shape.m <= kMostRows) b.panels = min(b.panels, ceil_div(panels, kManyTasks));
  while (shape.m > kMostRows) {
    const int64_t row_blocks = ceil_div(shape.m, b.rows);
    const int64_t panel_blocks = ceil_div(panels, b.panels);
    const int64_t tasks = row_blocks * panel_blocks;
    const bool small = b.rows <= kSmallSide && b.panels * kPanel <= kSmallSide;
    if (tasks >= (small ? kEnoughTasks : kManyTasks)) break;
    if (b.panels > 1 && (b.panels * kPanel >= b.rows || b.rows <= 2 * kTileRows)) {
      b.panels = min(b.panels - 1, ceil_div(panels, panel_blocks + 1));
    } else if (b.rows > 2 * kTileRows) {
      b.rows = min(b.rows - kTileRows, round_up(ceil_div(shape.m, row_blocks + 1), kTileRows));
    } else {
      break;
    }
  }
  b.depth = round_up(ceil_div(shape.k, ceil_div(shape.k, kDepth)), kDepthGroup);
  b.share_rows = b.panels < panels && shape.m * shape.k <= kSharedFloats;
  return b;
}

// Per thread: a stretch of the rows of A, its own or where all share them, a stretch of one panel of w, the
// sums of a task.
struct Scratch {
  float* a;
  float* w;
  float* sums;
};

int64_t rows_floats(const Blocks& b) {
  return b.share_rows ? 0 : b.rows * b.depth;
}
int64_t shared_floats(const GemmShape& shape, const Blocks& b) {
  return b.share_rows ? round_up(shape.m, b.rows) * round_up(shape.k, b.depth) : 0;
}
int64_t panel_floats(const Blocks& b) {
  return round_up(b.depth * kPanel, 16);
}
int64_t sums_floats(const Blocks& b) {
  return b.rows * b.panels * kPanel;
}
int64_t all_floats(const Blocks& b, bool gated) {
  return rows_floats(b) + panel_floats(b) + (gated ? 2 : 1) * sums_floats(b);
}

// The rows of a task, cut into tiles of the same height as far as possible, and where their copies lie.
struct Tiling {
  int64_t m, rows, depth;
  int64_t tiles, height;
  Tiling(int64_t first, int64_t count, int64_t deepest) : m(first), rows(count), depth(deepest) {
    tiles = ceil_div(rows, kTileRows);
    height = ceil_div(rows, tiles);
  }
  int64_t place(int64_t tile) const { return tile * height * depth; }
  int rows_of(int64_t tile) const { return static_cast<int>(min(height, rows - tile * height)); }
};

// Columns [k, k + count) of a row of the tile.
void copy_run(const float* from, int64_t k, int64_t count, float* row, int64_t group) {
  float* to = row + k / kDepthGroup * group;
  const int64_t head = min((kDepthGroup - k % kDepthGroup) % kDepthGroup, count);
  for (int64_t i = 0; i < head; i++) to[k % kDepthGroup + i] = from[i];
  if (head > 0) to += group;
  int64_t i = head;
  for (; i + kDepthGroup <= count; i += kDepthGroup, to += group)
    std::memcpy(to, from + i, kDepthGroup * sizeof(float));
  for (; i < count; i++) *to++ = from[i];
}

// A tile of A as InGroups has it.
void copy_tile(const GemmSource& source, int64_t m, int rows, int64_t k, int64_t depth, float* tile) {
  const float* row[kTileRows];
  for (int64_t done = 0; done < depth;) {
    const int64_t count = min(source.point(source.context, m, rows, k + done, row), depth - done);
    for (int i = 0; i < rows; i++) copy_run(row[i], done, count, tile + i * kDepthGroup, rows * kDepthGroup);
    done += count;
  }
}

// A stretch of one panel of w, and where its sums go.
struct Stretch {
  int64_t n, width;
  int64_t depth;
  bool first, last;
  float* sums;
  bool gated = false;             // the sums wait for those of their gates
  const float* values = nullptr;  // the sums that these are the gates of
  const float* next = nullptr;    // the part of w after this one
  int64_t next_lines = 0;
};

constexpr int64_t kLine = 16;  // floats of a cache line

// Asks for a share of what comes next of w, in equal parts by tiles: each part of w is used for the first
// time here and comes from memory, in pieces too short for hardware prefetchers. Worth 4 % at m=154.
void prefetch_w(const Stretch& s, const Tiling& tiling, int64_t tile) {
  const int64_t last = (tile + 1) * s.next_lines / tiling.tiles;
  for (int64_t i = tile * s.next_lines / tiling.tiles; i < last; i++) prefetch_to_l2(s.next + i * kLine);
}

// y is written a few cache lines in each of many rows, which no hardware prefetcher foresees: asking for them
// before the tile is multiplied is worth 8 % at m=4096 n=1280 k=320.
void prefetch_y(const GemmArgs& args, int64_t m, int rows, const Stretch& s) {
  for (int i = 0; i < rows; i++) {
    const float* row = args.epilogue.y + (m + i) * args.shape.n;
    for (int64_t n = s.n; n < min(s.n + s.width, args.shape.n); n += kLine) prefetch(row + n);
  }
}

template <class T>
void multiply_panel(const GemmArgs& args, const Tiling& tiling, const float* a, const T* w,
                    const Stretch& s) {
  for (int64_t t = 0; t < tiling.tiles; t++) {
    const int rows = tiling.rows_of(t);
    const int64_t m = tiling.m + t * tiling.height;
    const float* tile = a + tiling.place(t);
    // Sums that are finished at once need no place of their own.
    const int64_t place = t * tiling.height * s.width;
    float* sums = s.sums + (s.first && s.last && !s.gated ? 0 : place);
    prefetch_w(s, tiling, t);
    if (s.last && !s.gated) prefetch_y(args, m, rows, s);
    if (s.width == kPanel) {
      multiply_rows<2, InGroups>(rows, tile, w, s.depth, sums, s.first);
    } else {
      multiply_rows<1, InGroups>(rows, tile, w, s.depth, sums, s.first);
    }
    if (!s.last || s.gated) continue;
    if (s.values) {
      finish_gated(args.epilogue, args.shape, {s.values + place, rows, s.width, m, s.n}, sums);
    } else {
      finish(args.epilogue, args.shape, {sums, rows, s.width, m, s.n});
    }
  }
}

template <class T>
const float* widen_panel(const T* w, int64_t count, float* wide) {
  for (int64_t i = 0; i < count; i += kWidth) store(wide + i, load(w + i));
  return wide;
}
inline const float* widen_panel(const float* w, int64_t, float*) {
  return w;
}

template <class T>
struct Product {
  const GemmArgs& args;
  const T* w;
  Blocks block;
  int64_t column_blocks;
  const Exec& exec;

  Scratch scratch(int thread) const {
    float* base = exec.scratch<float>(thread);
    return {base, base + rows_floats(block), base + rows_floats(block) + panel_floats(block)};
  }

  Tiling tiling(int64_t row_block) const {
    const int64_t m = row_block * block.rows;
    return {m, min(block.rows, args.shape.m - m), block.depth};
  }

  void copy_rows(const Tiling& tiling, int64_t at, float* to) const {
    const int64_t depth = min(block.depth, args.shape.k - at);
    for (int64_t t = 0; t < tiling.tiles; t++) {
      copy_tile(args.source, tiling.m + t * tiling.height, tiling.rows_of(t), at, depth,
                to + tiling.place(t));
    }
  }

  // (row blocks, stretches, rows of a block, depth)
  float* shared_rows(const Tiling& tiling, int64_t at) const {
    const int64_t k = round_up(args.shape.k, block.depth);
    return reinterpret_cast<float*>(exec.shared_scratch) + tiling.m * k + at * block.rows;
  }
  void share_rows() const {
    const int64_t stretches = ceil_div(args.shape.k, block.depth);
    parallel_for(exec, ceil_div(args.shape.m, block.rows) * stretches, [&](int64_t task, int) {
      const Tiling rows = tiling(task / stretches);
      const int64_t at = task % stretches * block.depth;
      copy_rows(rows, at, shared_rows(rows, at));
    });
  }

  void multiply_stretch(const Tiling& tiling, int64_t panel, int64_t at, Stretch s,
                        const Scratch& scratch) const {
    const T* stretch = w + panel_offset(args.shape.k, panel) + at * s.width;
    s.next = reinterpret_cast<const float*>(stretch + panel_offset(args.shape.k, 1));
    s.next_lines = s.depth * s.width * static_cast<int64_t>(sizeof(T)) / (kLine * 4);
    if (tiling.tiles == 1) {
      multiply_panel(args, tiling, scratch.a, stretch, s);
    } else {
      multiply_panel(args, tiling, scratch.a, widen_panel(stretch, s.depth * s.width, scratch.w), s);
    }
  }

  void multiply_block(const Tiling& tiling, int64_t first_panel, Scratch scratch) const {
    const auto [m, n, k] = args.shape;
    const int64_t last_panel = min(first_panel + block.panels, panel_count(n));
    for (int64_t at = 0; at < k; at += block.depth) {
      const int64_t depth = min(block.depth, k - at);
      if (block.share_rows) {
        scratch.a = shared_rows(tiling, at);
      } else {
        copy_rows(tiling, at, scratch.a);
      }
      for (int64_t panel = first_panel; panel < last_panel; panel++) {
        float* sums = scratch.sums + (panel - first_panel) * kPanel * tiling.rows;
        Stretch s{panel * kPanel, panel_width(n, panel), depth, at == 0, at + depth >= k, sums, args.gated};
        multiply_stretch(tiling, panel, at, s, scratch);
        if (!args.gated) continue;
        s.gated = false;
        s.values = sums;
        s.sums = sums + sums_floats(block);
        multiply_stretch(tiling, panel + panel_count(n), at, s, scratch);
      }
    }
  }

  void run() const {
    if (block.share_rows) share_rows();
    parallel_for(exec, ceil_div(args.shape.m, block.rows) * column_blocks, [&](int64_t task, int thread) {
      multiply_block(tiling(task / column_blocks), task % column_blocks * block.panels, scratch(thread));
    });
  }
};

}  // namespace

void gemm(const GemmArgs& args, const Exec& exec) {
  const Blocks block = choose_blocks(args.shape);
  const int64_t column_blocks = ceil_div(panel_count(args.shape.n), block.panels);
  with_elements(args.w, [&](auto* w) { Product{args, w, block, column_blocks, exec}.run(); });
}

ScratchSize gemm_scratch(const GemmShape& shape, bool gated) {
  const Blocks block = choose_blocks(shape);
  return {static_cast<size_t>(all_floats(block, gated)) * sizeof(float),
          static_cast<size_t>(shared_floats(shape, block)) * sizeof(float)};
}

}  // namespace tintype::TINTYPE_ISA
