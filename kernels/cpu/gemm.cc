// The blocked GEMM. A task is a block of rows times a block of columns over the whole depth, so that what it
// computes depends on the shape alone, whatever the number of threads. Within a task, after Goto and van de
// Geijn
// ("Anatomy of High-Performance Matrix Multiplication", 2008): for each stretch of the depth, the rows of A
// are copied together and stay in L2, and one widened panel of w at a time stays in L1 for all of them.
#include "gemm.h"

#include "gemm_epilogue.h"
#include "gemm_tile.h"
#include "parallel.h"

namespace tintype::TINTYPE_ISA {
namespace {

static_assert(kDepth <= kMaxDepth);

// Rows and columns (in panels) of a task, and its stretch of depth.
struct Blocks {
  int64_t rows, panels, depth;
};

int64_t min(int64_t a, int64_t b) {
  return a < b ? a : b;
}
int64_t round_up(int64_t a, int64_t to) {
  return ceil_div(a, to) * to;
}

// A row of A is copied once for each block of columns, an element of w widened once for each block of rows:
// blocks are as large and as square as leaves enough tasks for many threads.
Blocks choose_blocks(const GemmShape& shape) {
  constexpr int64_t kManyTasks = 32;
  constexpr int64_t kEnoughTasks = 16;
  constexpr int64_t kSmallSide = 96;
  const int64_t panels = panel_count(shape.n);
  Blocks b{min(round_up(shape.m, kTileRows), 168), min(panels, ceil_div(320, kPanel)), 0};
  for (;;) {
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
  b.depth = round_up(ceil_div(shape.k, ceil_div(shape.k, kDepth)), 4);
  return b;
}

// Per thread: a stretch of the rows of A, a stretch of one panel of w, the sums of a task.
struct Scratch {
  float* a;
  float* w;
  float* sums;
};

int64_t rows_floats(const Blocks& b) {
  return b.rows * kRowStride;
}
int64_t panel_floats(const Blocks& b) {
  return round_up(b.depth * kPanel, 16);
}
int64_t sums_floats(const Blocks& b) {
  return b.rows * b.panels * kPanel;
}

// The rows of a task, cut into tiles of the same height as far as possible.
struct Tiling {
  int64_t m, rows;
  int64_t tiles, height;
  Tiling(int64_t first, int64_t count) : m(first), rows(count) {
    tiles = ceil_div(rows, kTileRows);
    height = ceil_div(rows, tiles);
  }
  int rows_of(int64_t tile) const { return static_cast<int>(min(height, rows - tile * height)); }
};

// What the last vector of a run writes too much, the next run overwrites, or it falls between two rows.
void copy_row(const float* from, int64_t count, float* to) {
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store(to + i, load(from + i));
  if (i < count) store(to + i, load_partial(from + i, static_cast<int>(count - i)));
}

void copy_tile(const GemmSource& source, int64_t m, int rows, int64_t k, int64_t depth, float* tile) {
  const float* row[kTileRows];
  for (const int64_t end = k + depth; k < end;) {
    const int64_t count = min(source.point(source.context, m, rows, k, row), end - k);
    for (int i = 0; i < rows; i++) copy_row(row[i], count, tile + i * kRowStride);
    tile += count;
    k += count;
  }
}

// A stretch of one panel of w, and where its sums go.
struct Stretch {
  int64_t n, width;
  int64_t depth;
  bool first, last;
  float* sums;
};

// y is written a few cache lines in each of many rows, which no hardware prefetcher foresees: asking for them
// before the tile is multiplied is worth 8 % at m=4096 n=1280 k=320.
void prefetch_y(const GemmArgs& args, int64_t m, int rows, const Stretch& s) {
  constexpr int64_t kLine = 16;
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
    const float* tile = a + t * tiling.height * kRowStride;
    // Sums that are finished at once need no place of their own.
    float* sums = s.sums + (s.first && s.last ? 0 : t * tiling.height * s.width);
    if (s.last) prefetch_y(args, m, rows, s);
    if (s.width == kPanel) {
      multiply_rows<2>(rows, tile, w, s.depth, sums, s.first);
    } else {
      multiply_rows<1>(rows, tile, w, s.depth, sums, s.first);
    }
    if (s.last) finish(args.epilogue, args.shape, {sums, rows, s.width, m, s.n});
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

  void multiply_block(const Tiling& tiling, int64_t first_panel, const Scratch& scratch) const {
    const auto [m, n, k] = args.shape;
    const int64_t last_panel = min(first_panel + block.panels, panel_count(n));
    for (int64_t at = 0; at < k; at += block.depth) {
      const int64_t depth = min(block.depth, k - at);
      for (int64_t t = 0; t < tiling.tiles; t++) {
        float* tile = scratch.a + t * tiling.height * kRowStride;
        copy_tile(args.source, tiling.m + t * tiling.height, tiling.rows_of(t), at, depth, tile);
      }
      for (int64_t panel = first_panel; panel < last_panel; panel++) {
        const int64_t width = panel_width(n, panel);
        const T* stretch = w + panel_offset(k, panel) + at * width;
        float* sums = scratch.sums + (panel - first_panel) * kPanel * tiling.rows;
        const Stretch s{panel * kPanel, width, depth, at == 0, at + depth >= k, sums};
        if (tiling.tiles == 1) {
          multiply_panel(args, tiling, scratch.a, stretch, s);
        } else {
          multiply_panel(args, tiling, scratch.a, widen_panel(stretch, depth * width, scratch.w), s);
        }
      }
    }
  }

  void run(int64_t task, int thread) const {
    const int64_t m = task / column_blocks * block.rows;
    const Tiling tiling(m, min(block.rows, args.shape.m - m));
    multiply_block(tiling, task % column_blocks * block.panels, scratch(thread));
  }
};

}  // namespace

void gemm(const GemmArgs& args, const Exec& exec) {
  const Blocks block = choose_blocks(args.shape);
  const int64_t column_blocks = ceil_div(panel_count(args.shape.n), block.panels);
  const int64_t tasks = ceil_div(args.shape.m, block.rows) * column_blocks;
  with_elements(args.w, [&](auto* w) {
    const Product product{args, w, block, column_blocks, exec};
    parallel_for(exec, tasks, [&](int64_t task, int thread) { product.run(task, thread); });
  });
}

size_t gemm_scratch(const GemmShape& shape) {
  const Blocks b = choose_blocks(shape);
  return static_cast<size_t>(rows_floats(b) + panel_floats(b) + sums_floats(b)) * sizeof(float);
}

}  // namespace tintype::TINTYPE_ISA
