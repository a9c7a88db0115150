// How a matrix product is cut into tasks: blocks of rows times blocks of columns over the whole depth. What
// is computed depends on the rows of a block, and these on the shape alone; which columns a task has, and
// whether tasks share copies of their rows, is decided anew for the number of threads.
#pragma once
#include "gemm.h"
#include "integers.h"
#include "parallel.h"

namespace tintype::TINTYPE_ISA {
namespace {

// A unit of columns, and the row of w from which on it is multiplied.
struct WeightPlace {
  int64_t unit, at;
};
// A block of rows, and the column of A from which on it is copied.
struct RowsPlace {
  int64_t row_block, at;
};
// Some units of the columns for a block of rows, and where what is likely its thread's next task begins:
// threads take tasks in turn, and those of an op take as long.
struct Task {
  int64_t row_block;
  int64_t first, end;
  int64_t next_row_block, next_first;

  // What a thread multiplies by after a stretch of w with `depth` of k rows: the next unit, the next stretch,
  // or its next task.
  WeightPlace after(const WeightPlace& place, int64_t depth, int64_t k) const {
    if (place.unit + 1 < end) return {place.unit + 1, place.at};
    if (place.at + depth < k) return {first, place.at + depth};
    return {next_first, 0};
  }
  // The rows that it copies after that.
  RowsPlace rows_after(int64_t at, int64_t depth, int64_t k) const {
    if (at + depth < k) return {row_block, at + depth};
    return {next_row_block, 0};
  }
};

// An element of w is widened once for each block of rows: there are as few of them as leave tasks enough for
// many threads. Few rows are one block. Many are an even number as a rule, which two threads can divide.
inline int64_t count_row_blocks(int64_t m, int64_t units) {
  constexpr int64_t kManyTasks = 32;
  constexpr int64_t kFewRows = 96;
  constexpr int64_t kMostRows = 168;
  constexpr int64_t kManyBlocks = 5;
  const int64_t least = ceil_div(m, kMostRows);
  if (least <= 1) return 1;
  const int64_t count = max(least, min(ceil_div(kManyTasks, units), ceil_div(m, kFewRows)));
  return count < kManyBlocks ? count : round_up(count, 2);
}

// Of a task whose sums wait for another stretch of the depth.
constexpr int64_t kMostColumns = 640;

// A product that is to be divided: its columns are units of so many each.
struct Undivided {
  GemmShape shape;
  int64_t row_blocks;
  int64_t units, unit_columns;
  bool waits;  // sums do, for another stretch

  int64_t most_units() const { return waits ? max(kMostColumns / unit_columns, 1) : units; }
};

// Copies of rows that take up to 8 MB, which most last-level caches hold, may be made once, before the tasks.
// (Those for Strassen's products are 7/4 of them.)
inline bool may_share_rows(const Undivided& product) {
  constexpr int64_t kSharedFloats = 2 << 20;
  return product.units > 1 && product.shape.m * product.shape.k <= kSharedFloats;
}

// Units of the columns of a task, and whether it shares copies of its rows or makes its own.
struct Division {
  int64_t units;
  bool share_rows;
};

// The division that is likely to take least time on so many threads. A task that copies its rows itself does
// what others do too, by as much as products with some columns take, and with more where rows come from
// beyond L2; a shared copy is made once, but read from farther away. The last round of tasks may leave
// threads idle, which are seldom equally fast. Fitted to timings on Zen 4.
inline Division divide_columns(const Undivided& product, int threads) {
  constexpr int64_t kNearFloats = 128 << 10;
  constexpr double kNearCopy = 12, kFarCopy = 25, kSharedCopy = 40, kReading = 1.5;
  constexpr double kUnequal = 0.02;
  const auto [m, n, k] = product.shape;
  const double columns = static_cast<double>(product.units * product.unit_columns);
  const double copy = (m * k <= kNearFloats ? kNearCopy : kFarCopy) / columns;
  const bool may_share = may_share_rows(product);
  const double all = static_cast<double>(product.row_blocks * product.units) / threads;
  Division best{};
  double least = 0;
  for (int64_t units = min(product.units, product.most_units()); units > 0; units--) {
    const int64_t column_blocks = ceil_div(product.units, units);
    if (ceil_div(product.units, column_blocks) < units) continue;  // fewer leave as many blocks
    const int64_t rounds = ceil_div(product.row_blocks * column_blocks, threads);
    const double idle = static_cast<double>(rounds * units) / all + kUnequal / static_cast<double>(rounds);
    const double others = static_cast<double>(column_blocks - 1);
    const double own = copy * others, shared = (kSharedCopy + kReading * others) / columns;
    const bool share = may_share && shared < own;
    const double cost = idle + (share ? shared : own);
    if (best.units == 0 || cost < least) {
      best = {units, share};
      least = cost;
    }
  }
  return best;
}

// body(task, thread) for all of a product.
template <class Body>
void for_each_task(const Undivided& product, const Division& division, const Exec& exec, const Body& body) {
  const int64_t column_blocks = ceil_div(product.units, division.units);
  const auto row_block_of = [&](int64_t index) { return index / column_blocks; };
  const auto first_of = [&](int64_t index) { return index % column_blocks * division.units; };
  parallel_for(exec, product.row_blocks * column_blocks, [&](int64_t index, int thread) {
    const int64_t first = first_of(index), next = index + exec.threads;
    const Task task{row_block_of(index), first, min(first + division.units, product.units),
                    row_block_of(next), first_of(next)};
    body(task, thread);
  });
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
