// One level of Strassen's algorithm ("Gaussian Elimination is not Optimal", 1969) in the form that Winograd
// gave it, with 15 additions (Higham, "Accuracy and Stability of Numerical Algorithms", 2002, chapter 23): of
// matrices cut into quarters, seven products stand for eight.
//
//   P1 = A11 B11        S1 = A21 + A22    T1 = B12 - B11    C11 = P1 + P2
//   P2 = A12 B21        S2 = S1 - A11     T2 = B22 - T1     C12 = P1 + P6 + P5 + P3
//   P3 = S4 B22         S3 = A11 - A21    T3 = B22 - B12    C21 = P1 + P6 + P7 + P4
//   P4 = A22 T4         S4 = A12 - S2     T4 = B21 - T2     C22 = P1 + P6 + P7 + P5
//   P5 = S1 T1, P6 = S2 T2, P7 = S3 T3
//
// The quarters are those of a task, so that nothing leaves the caches for them: A's are the upper and the
// lower half of its rows and two stretches of the depth, B's two panels of w (those of a value and its gate
// in a gated layer). Sums of rows are made while they are copied, sums of weights while they are widened, and
// C from the seven products on the way into the epilogue. So of what products spare additions take a third to
// five sixths (AVX2; docs/performance.md).
#include "strassen.h"

#include "elementwise.h"
#include "gemm_ahead.h"
#include "gemm_epilogue.h"
#include "gemm_rows.h"
#include "gemm_tasks.h"
#include "gemm_tile.h"
#include "parallel.h"

namespace tintype::TINTYPE_ISA {
namespace {

static_assert(kStrassenColumns % (2 * kPanel) == 0);
static_assert(kStrassenDepth == 2 * kDepthGroup);

constexpr int kProducts = 7;
constexpr int kRightSums = 4;  // of their right factors are sums

// Those that are parts of w are widened by each tile that multiplies by them, or once for all: with AVX-512
// that gains 2 %, with AVX2 it loses as much.
constexpr bool kWidensOnce = kWidth == 16;

// Half of the deepest stretch: copies of 168 rows and their sums fill 3/4 of 512 KB.
constexpr int64_t kHalfDepth = 160;
static_assert(kHalfDepth <= kMaxDepth);

// Pairs of panels whose columns are multiplied together.
int64_t pair_count(const GemmShape& shape, bool gated) {
  return gated ? panel_count(shape.n) : panel_count(shape.n) / 2;
}

// Rows of a task, and half of its stretch of depth.
struct Blocks {
  int64_t rows, half_depth, stretches;
  Undivided product;

  Blocks(const GemmShape& shape, bool gated) {
    const int64_t pairs = pair_count(shape, gated);
    rows = round_up(ceil_div(shape.m, count_row_blocks(shape.m, pairs)), 2);
    half_depth = round_up(ceil_div(shape.k, 2 * ceil_div(shape.k, 2 * kHalfDepth)), kDepthGroup);
    stretches = ceil_div(shape.k, 2 * half_depth);
    product = {shape, ceil_div(shape.m, rows), pairs, 2 * kPanel, stretches > 1};
  }

  // Floats of a factor of one product.
  int64_t left() const { return round_up(rows / 2 * half_depth, kLine); }
  int64_t right() const { return round_up(half_depth * kPanel, kLine); }
  // Of the sums of one product.
  int64_t sums() const { return rows / 2 * kPanel; }

  int64_t left_floats() const { return kProducts * left(); }
  int64_t right_floats() const { return kRightSums * right(); }
  // Sums that are finished at once need no place of their own.
  int64_t sums_floats() const {
    return (product.waits ? min(product.units, product.most_units()) : 1) * kProducts * sums();
  }

  int64_t own_floats() const { return left_floats() + right_floats() + sums_floats(); }
  int64_t shared_floats() const {
    return may_share_rows(product) ? product.row_blocks * stretches * left_floats() : 0;
  }
};

// The rows of a task: the upper half, and as many or one less below it.
struct TaskRows : Tiling {
  int64_t m, lower;
  TaskRows(int64_t first, int64_t count)
      : Tiling(ceil_div(count, 2)), m(first), lower(count - ceil_div(count, 2)) {}
  int lower_rows_of(int64_t tile) const { return static_cast<int>(min(height, lower - row(tile))); }
};

// Tiles of A11, A12, A22 and, where S3 is to be, A21 become the left factors of the seven products. `apart`
// are the floats from factor to factor.
void add_rows(float* tile, int64_t count, int64_t apart) {
  // Not a lane beyond: what follows is another thread's.
  each_vector(0, count, [=](int64_t i, auto lanes) {
    const auto factor = [&](int product) { return tile + (product - 1) * apart + i; };
    const Vec a11 = lanes.load(factor(1)), a12 = lanes.load(factor(2));
    const Vec a22 = lanes.load(factor(4)), a21 = lanes.load(factor(7));
    const Vec s1 = a21 + a22;
    const Vec s2 = s1 - a11;
    lanes.store(factor(3), a12 - s2);
    lanes.store(factor(5), s1);
    lanes.store(factor(6), s2);
    lanes.store(factor(7), a11 - a21);
  });
}

// Two stretches of two panels become the right factors of the last four products.
template <class T>
void add_weights(const T* left, const T* right, int64_t count, float* to, int64_t apart) {
  for (int64_t i = 0; i < count; i += kWidth) {
    const Vec b11 = load(left + i), b12 = load(right + i);
    const Vec b21 = load(left + count + i), b22 = load(right + count + i);
    const Vec t1 = b12 - b11;
    const Vec t2 = b22 - t1;
    const Vec factors[kRightSums] = {b21 - t2, t1, t2, b22 - b12};
#pragma GCC unroll 4
    for (int p = 0; p < kRightSums; p++) store(to + p * apart + i, factors[p]);
  }
}

// C11, C12, C21 and C22 of seven sums that lie `apart`.
struct Quarters {
  Vec upper_left, upper_right, lower_left, lower_right;
};
TINTYPE_INLINE Quarters add_sums(const float* sums, int64_t apart) {
  Vec p[kProducts];
#pragma GCC unroll 7
  for (int j = 0; j < kProducts; j++) p[j] = load(sums + j * apart);
  const Vec u2 = p[0] + p[5];
  const Vec u3 = u2 + p[6];
  return {p[0] + p[1], u2 + p[4] + p[2], u3 + p[3], u3 + p[4]};
}

// Two panels of w, by the columns of their sums.
struct Pair {
  int64_t left, right;
};

// A stretch of the depth for one pair of panels.
template <class T>
struct Stretch {
  Pair pair;
  const T *left, *right;
  int64_t half_depth;
  bool first, last;
  float* sums;
  Lines next_left, next_right;  // weights
  NextRows* next_rows;
};

template <class T>
struct Product {
  const GemmArgs& args;
  const T* w;
  Blocks block;
  Division division;
  const Exec& exec;

  TaskRows task_rows(int64_t row_block) const {
    const int64_t m = row_block * block.rows;
    return {m, min(block.rows, args.shape.m - m)};
  }
  int64_t half_depth_at(int64_t at) const { return min(block.half_depth, (args.shape.k - at) / 2); }

  // Of some tiles. The lower half may lack a row, which is zeros then.
  void copy_rows(const TaskRows& task, int64_t first_tile, int64_t end_tile, int64_t at, float* to) const {
    const int64_t half = half_depth_at(at);
    const Depth near{at, half}, far{at + half, half};
    const int64_t apart = block.left();
    for (int64_t t = first_tile; t < end_tile; t++) {
      const int rows = task.rows_of(t), lower_rows = task.lower_rows_of(t);
      const int64_t upper = task.m + task.row(t), lower = upper + task.rows;
      float* tile = to + task.row(t) * half;
      float *const a11 = tile, *const a12 = tile + apart, *const a22 = tile + 3 * apart,
                   *const a21 = tile + 6 * apart;
      copy_tile<T>(args.source, upper, rows, near, a11, rows);
      copy_tile<T>(args.source, upper, rows, far, a12, rows);
      if (lower_rows < rows) {
        fill_zeros(a21, rows * half);
        fill_zeros(a22, rows * half);
      }
      copy_tile<T>(args.source, lower, lower_rows, near, a21, rows);
      copy_tile<T>(args.source, lower, lower_rows, far, a22, rows);
      add_rows(tile, rows * half, apart);
    }
  }

  static void fill_zeros(float* to, int64_t count) {
    for (int64_t i = 0; i < count; i++) to[i] = 0;
  }

  // (row blocks, stretches, products, rows of a block / 2, half of the depth)
  float* shared_rows(int64_t row_block, int64_t stretch) const {
    const int64_t index = row_block * block.stretches + stretch;
    return reinterpret_cast<float*>(exec.shared_scratch) + index * block.left_floats();
  }
  // In small tasks: a short depth is one or two stretches.
  void share_rows() const {
    constexpr int64_t kTilesOfTask = 4;
    const int64_t groups = ceil_div(Tiling(block.rows / 2).tiles, kTilesOfTask);
    parallel_for(exec, block.product.row_blocks * block.stretches * groups, [&](int64_t index, int) {
      const int64_t row_block = index / groups / block.stretches, stretch = index / groups % block.stretches;
      const int64_t first = index % groups * kTilesOfTask;
      const TaskRows task = task_rows(row_block);
      copy_rows(task, first, min(first + kTilesOfTask, task.tiles), stretch * 2 * block.half_depth,
                shared_rows(row_block, stretch));
    });
  }

  void multiply_stretch(const TaskRows& task, const float* a, float* b, const Stretch<T>& s) const {
    const int64_t below = s.half_depth * kPanel;
    NextWeights next(s.next_left, s.next_right, kProducts * task.tiles, s.half_depth);
    const T* const parts[] = {s.left, s.left + below, s.right + below};
    for (int i = 0; i < kProducts - kRightSums; i++) {
      if constexpr (kWidensOnce) {
        // To where the sums will be.
        multiply_factor(task, 1 + i, a, widen_panel(parts[i], below, b), s, next);
      } else {
        multiply_factor(task, 1 + i, a, parts[i], s, next);
      }
    }
    add_weights(s.left, s.right, below, b, block.right());
    for (int i = 0; i < kRightSums; i++) multiply_factor(task, 4 + i, a, b + i * block.right(), s, next);
  }

  template <class Factor>
  void multiply_factor(const TaskRows& task, int product, const float* a, const Factor* b,
                       const Stretch<T>& s, NextWeights& next) const {
    a += (product - 1) * block.left();
    float* sums = s.sums + (product - 1) * block.sums();
    for (int64_t t = 0; t < task.tiles; t++) {
      const LinesOfY y = s.last ? lines_of_quarter(task, t, product - (kProducts - 3), s.pair) : LinesOfY{};
      multiply_rows_asking<2>(task.rows_of(t), a + task.row(t) * s.half_depth, b, s.half_depth,
                              sums + task.row(t) * kPanel, s.first, next.ahead(y, s.next_rows->take()));
    }
  }

  // Where a tile of C11, C12, C21 or C22 (0 to 3) goes to.
  LinesOfY lines_of_quarter(const TaskRows& task, int64_t tile, int quarter, const Pair& pair) const {
    const int64_t column = quarter % 2 == 0 ? pair.left : pair.right;
    if (quarter < 0 || column >= args.shape.n) return {};
    const int64_t upper = task.m + task.row(tile);
    return quarter < 2 ? lines_of_y(args, upper, task.rows_of(tile), column, kPanel)
                       : lines_of_y(args, upper + task.rows, task.lower_rows_of(tile), column, kPanel);
  }

  void finish_pair(const TaskRows& task, const Stretch<T>& s) const {
    for (int64_t t = 0; t < task.tiles; t++) {
      for (int64_t shift = 0; shift < kPanel; shift += kWidth) finish_columns(task, t, s, shift);
    }
  }

  // A vector of columns of either panel.
  void finish_columns(const TaskRows& task, int64_t tile, const Stretch<T>& s, int64_t shift) const {
    const Epilogue& e = args.epilogue;
    const float* sums = s.sums + shift;
    if (args.gated) {
      const FinishGatedColumns finish(e, args.shape, s.pair.left + shift);
      return finish_rows(task, tile, sums, finish);
    }
    const auto finish_on = [&](auto kind, auto lanes) {
      const FinishColumns<kind.value, decltype(lanes)> left(e, args.shape, s.pair.left + shift, lanes);
      const FinishColumns<kind.value, decltype(lanes)> right(e, args.shape, s.pair.right + shift, lanes);
      finish_rows(task, tile, sums, [&](int64_t m, Vec left_sum, Vec right_sum) {
        left(m, left_sum);
        right(m, right_sum);
      });
    };
    with_activation(e.activation, [&](auto kind) {
      if (goes_past_caches(e, args.shape)) return finish_on(kind, PastCaches{});
      finish_on(kind, AllLanes{});
    });
  }

  // finish(m, left, right) for the rows of a tile of either half.
  template <class Finish>
  void finish_rows(const TaskRows& task, int64_t tile, const float* sums, const Finish& finish) const {
    const int64_t first = task.row(tile), end = first + task.rows_of(tile);
    for (int64_t row = first; row < end; row++) {
      const Quarters c = add_sums(sums + row * kPanel, block.sums());
      finish(task.m + row, c.upper_left, c.upper_right);
      if (row < task.lower) finish(task.m + task.rows + row, c.lower_left, c.lower_right);
    }
  }

  Pair pair_at(int64_t index) const {
    if (args.gated) return {index * kPanel, args.shape.n + index * kPanel};
    return {2 * index * kPanel, (2 * index + 1) * kPanel};
  }

  // Of a pair of panels, for a stretch.
  struct StretchWeights {
    const T *left, *right;
  };
  StretchWeights weights_of(const WeightPlace& place) const {
    const Pair panels = pair_at(place.unit);
    const int64_t k = args.shape.k;
    return {w + (panels.left * k + place.at * kPanel), w + (panels.right * k + place.at * kPanel)};
  }

  NextRows next_rows(const RowsPlace& place, int64_t tiles) const {
    if (division.share_rows) return {};
    const auto [m, n, k] = args.shape;
    const int64_t first = place.row_block * block.rows;
    const Depth depth{place.at, min(2 * block.half_depth, k - place.at)};
    return {args.source, first, min(first + block.rows, m), depth, tiles};
  }

  void multiply_block(const Task& task, float* scratch) const {
    const TaskRows rows = task_rows(task.row_block);
    float* const b = scratch + block.left_floats();
    float* const sums = b + block.right_floats();
    for (int64_t stretch = 0; stretch < block.stretches; stretch++) {
      const int64_t at = stretch * 2 * block.half_depth;
      const float* a = scratch;
      if (division.share_rows) {
        a = shared_rows(task.row_block, stretch);
      } else {
        copy_rows(rows, 0, rows.tiles, at, scratch);
      }
      const int64_t half = half_depth_at(at);
      const int64_t bytes = 2 * half * kPanel * static_cast<int64_t>(sizeof(T));
      NextRows rows_ahead = next_rows(task.rows_after(at, 2 * block.half_depth, args.shape.k),
                                      (task.end - task.first) * kProducts * rows.tiles);
      for (int64_t i = task.first; i < task.end; i++) {
        const WeightPlace place{i, at};
        const StretchWeights weights = weights_of(place);
        const StretchWeights next = weights_of(task.after(place, 2 * block.half_depth, args.shape.k));
        const Stretch<T> s{pair_at(i),
                           weights.left,
                           weights.right,
                           half,
                           stretch == 0,
                           stretch + 1 == block.stretches,
                           sums + (block.stretches > 1 ? (i - task.first) * kProducts * block.sums() : 0),
                           lines_of(next.left, bytes),
                           lines_of(next.right, bytes),
                           &rows_ahead};
        multiply_stretch(rows, a, b, s);
        if (s.last) finish_pair(rows, s);
      }
    }
  }

  void run() const {
    if (division.share_rows) share_rows();
    for_each_task(block.product, division, exec, [this](const Task& task, int thread) {
      multiply_block(task, exec.scratch<float>(thread));
    });
  }
};

}  // namespace

void strassen(const GemmArgs& args, const Exec& exec) {
  const Blocks block(args.shape, args.gated);
  const Division division = divide_columns(block.product, exec.threads);
  with_elements(args.w, [&]<class T>(const T* w) { Product<T>{args, w, block, division, exec}.run(); });
}

ScratchSize strassen_scratch(const GemmShape& shape, bool gated) {
  const Blocks block(shape, gated);
  return {static_cast<size_t>(block.own_floats()) * sizeof(float),
          static_cast<size_t>(block.shared_floats()) * sizeof(float)};
}

}  // namespace tintype::TINTYPE_ISA
