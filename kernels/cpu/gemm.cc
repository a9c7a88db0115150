// The blocked GEMM. Within a task, after Goto and van de Geijn ("Anatomy of High-Performance Matrix
// Multiplication", 2008): for each stretch of the depth, the rows of A are copied together and stay in L2,
// and one widened panel of w at a time stays in L1 for all of them.
#include "gemm.h"

#include "gemm_ahead.h"
#include "gemm_epilogue.h"
#include "gemm_rows.h"
#include "gemm_tasks.h"
#include "gemm_tile.h"
#include "parallel.h"

namespace tintype::TINTYPE_ISA {
namespace {

static_assert(kDepth <= kMaxDepth);
static_assert(kWidestPanel % kPanel == 0);

// Rows of a task, and its stretch of depth.
struct Blocks {
  int64_t rows, depth;
  bool gated;
  Undivided product;

  Blocks(const GemmShape& shape, bool is_gated) : gated(is_gated) {
    const int64_t panels = panel_count(shape.n);
    rows = ceil_div(shape.m, count_row_blocks(shape.m, panels));
    depth = round_up(ceil_div(shape.k, ceil_div(shape.k, kDepth)), kDepthGroup);
    product = {shape, ceil_div(shape.m, rows), panels, (gated ? 2 : 1) * kPanel, shape.k > depth};
  }

  int64_t rows_floats() const { return round_up(rows * depth, kLine); }
  int64_t panel_floats() const { return round_up(depth * kPanel, kLine); }
  // Sums that are finished at once need no place of their own, but for those that wait for their gates.
  int64_t sums_floats() const {
    return rows * kPanel * (product.waits ? min(product.units, product.most_units()) : 1);
  }
  int64_t own_floats() const { return rows_floats() + panel_floats() + (gated ? 2 : 1) * sums_floats(); }
  int64_t shared_floats() const {
    return may_share_rows(product) ? product.row_blocks * rows * round_up(product.shape.k, depth) : 0;
  }
};

// Per thread: a stretch of the rows of A, its own or where all share them, a stretch of one panel of w, the
// sums of a task.
struct Scratch {
  float* a;
  float* w;
  float* sums;
};

// The rows of a task.
struct TaskRows : Tiling {
  int64_t m;
  TaskRows(int64_t first, int64_t count) : Tiling(count), m(first) {}
};

// A stretch of one panel of w, and where its sums go.
struct Stretch {
  int64_t n, width;
  int64_t depth, tile_depth;  // and what a tile of A has room for
  bool first, last;
  float* sums;
  bool gated = false;             // the sums wait for those of their gates
  const float* values = nullptr;  // the sums that these are the gates of
  Lines next = {};                // weights
  NextRows* next_rows = nullptr;
};

template <class T>
void multiply_panel(const GemmArgs& args, const TaskRows& task, const float* a, const T* w,
                    const Stretch& s) {
  NextWeights next(s.next, task.tiles, s.depth);
  for (int64_t t = 0; t < task.tiles; t++) {
    const int rows = task.rows_of(t);
    const int64_t m = task.m + task.row(t);
    const float* tile = a + task.row(t) * s.tile_depth;
    // Sums that are finished at once need no place of their own.
    const int64_t place = task.row(t) * s.width;
    float* sums = s.sums + (s.first && s.last && !s.gated ? 0 : place);
    const bool finishes = s.last && !s.gated;
    const TileAhead ahead =
        next.ahead(finishes ? lines_of_y(args, m, rows, s.n, s.width) : LinesOfY{}, s.next_rows->take());
    if (s.width == kPanel) {
      multiply_rows_asking<2>(rows, tile, w, s.depth, sums, s.first, ahead);
    } else {
      multiply_rows_asking<1>(rows, tile, w, s.depth, sums, s.first, ahead);
    }
    if (!finishes) continue;
    if (s.values) {
      finish_gated(args.epilogue, args.shape, {s.values + place, rows, s.width, m, s.n}, sums);
    } else {
      finish(args.epilogue, args.shape, {sums, rows, s.width, m, s.n});
    }
  }
}

template <class T>
struct Product {
  const GemmArgs& args;
  const T* w;
  Blocks block;
  Division division;
  const Exec& exec;

  Scratch scratch(int thread) const {
    float* base = exec.scratch<float>(thread);
    return {base, base + block.rows_floats(), base + block.rows_floats() + block.panel_floats()};
  }

  TaskRows task_rows(int64_t row_block) const {
    const int64_t m = row_block * block.rows;
    return {m, min(block.rows, args.shape.m - m)};
  }

  void copy_rows(const TaskRows& task, int64_t at, float* to) const {
    const Depth depth{at, min(block.depth, args.shape.k - at)};
    for (int64_t t = 0; t < task.tiles; t++) {
      const int rows = task.rows_of(t);
      copy_tile<T>(args.source, task.m + task.row(t), rows, depth, to + task.row(t) * block.depth, rows);
    }
  }

  // (row blocks, stretches, rows of a block, depth)
  float* shared_rows(const TaskRows& task, int64_t at) const {
    const int64_t k = round_up(args.shape.k, block.depth);
    return reinterpret_cast<float*>(exec.shared_scratch) + task.m * k + at * block.rows;
  }
  void share_rows() const {
    const int64_t stretches = ceil_div(args.shape.k, block.depth);
    parallel_for(exec, block.product.row_blocks * stretches, [&](int64_t index, int) {
      const TaskRows rows = task_rows(index / stretches);
      const int64_t at = index % stretches * block.depth;
      copy_rows(rows, at, shared_rows(rows, at));
    });
  }

  // Panels of gates follow those of values, all of full width.
  const T* weights_of(const WeightPlace& place) const {
    const int64_t width = args.gated ? kPanel : panel_width(args.shape.n, place.unit);
    return w + panel_offset(args.shape.k, place.unit) + place.at * width;
  }

  void multiply_stretch(const TaskRows& task, const WeightPlace& place, const WeightPlace& next, Stretch s,
                        const Scratch& scratch) const {
    const T* stretch = weights_of(place);
    s.next = lines_of(weights_of(next), s.depth * s.width * static_cast<int64_t>(sizeof(T)));
    if (task.tiles == 1) {
      multiply_panel(args, task, scratch.a, stretch, s);
    } else {
      multiply_panel(args, task, scratch.a, widen_panel(stretch, s.depth * s.width, scratch.w), s);
    }
  }

  NextRows next_rows(const RowsPlace& place, int64_t tiles) const {
    if (division.share_rows) return {};
    const auto [m, n, k] = args.shape;
    const int64_t first = place.row_block * block.rows;
    const Depth numbers{place.at * kNumbers<T>, min(block.depth, k - place.at) * kNumbers<T>};
    return {args.source, first, min(first + block.rows, m), numbers, tiles};
  }

  void multiply_block(const Task& task, Scratch scratch) const {
    const TaskRows rows = task_rows(task.row_block);
    const auto [m, n, k] = args.shape;
    for (int64_t at = 0; at < k; at += block.depth) {
      const int64_t depth = min(block.depth, k - at);
      if (division.share_rows) {
        scratch.a = shared_rows(rows, at);
      } else {
        copy_rows(rows, at, scratch.a);
      }
      NextRows rows_ahead = next_rows(task.rows_after(at, block.depth, k),
                                      (task.end - task.first) * (args.gated ? 2 : 1) * rows.tiles);
      for (int64_t panel = task.first; panel < task.end; panel++) {
        const WeightPlace values{panel, at}, gates{panel + panel_count(n), at};
        const WeightPlace next = task.after(values, block.depth, k);
        float* sums = scratch.sums + (block.product.waits ? panel - task.first : 0) * kPanel * rows.rows;
        Stretch s{panel * kPanel, panel_width(n, panel), depth, block.depth,
                  at == 0,        at + depth >= k,       sums,  args.gated};
        s.next_rows = &rows_ahead;
        multiply_stretch(rows, values, args.gated ? gates : next, s, scratch);
        if (!args.gated) continue;
        s.gated = false;
        s.values = sums;
        s.sums = sums + block.sums_floats();
        multiply_stretch(rows, gates, next, s, scratch);
      }
    }
  }

  void run() const {
    if (division.share_rows) share_rows();
    for_each_task(block.product, division, exec,
                  [this](const Task& task, int thread) { multiply_block(task, scratch(thread)); });
  }
};

// Of the elements that are multiplied: the depth of pairs is half of that of numbers.
GemmShape shape_of_elements(const GemmShape& shape, DType dtype) {
  return {shape.m, shape.n, dtype == DType::bf16_pairs ? shape.k / 2 : shape.k};
}

}  // namespace

void gemm(const GemmArgs& all, const Exec& exec) {
  GemmArgs args = all;
  args.shape = shape_of_elements(all.shape, all.w.dtype);
  const Blocks block(args.shape, args.gated);
  const Division division = divide_columns(block.product, exec.threads);
  const auto multiply = [&]<class T>(const T* w) { Product<T>{args, w, block, division, exec}.run(); };
  if (args.w.dtype == DType::bf16_pairs) return multiply(static_cast<const BF16Pair*>(args.w.data));
  with_elements(args.w, multiply);
}

ScratchSize gemm_scratch(const GemmShape& numbers, DType dtype, bool gated) {
  const GemmShape shape = shape_of_elements(numbers, dtype);
  const Blocks block(shape, gated);
  return {static_cast<size_t>(block.own_floats()) * sizeof(float),
          static_cast<size_t>(block.shared_floats()) * sizeof(float)};
}

}  // namespace tintype::TINTYPE_ISA
