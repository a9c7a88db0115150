// How a matrix product is cut into tasks: blocks of rows times blocks of columns over the whole depth, so
// that what is computed depends on the shape alone, whatever the number of threads.
#pragma once
#include "gemm.h"
#include "integers.h"

namespace tintype::TINTYPE_ISA {
namespace {

// The least that a task has: so many rows, and so many columns, which are one unit of them.
struct TaskUnit {
  int64_t rows, columns;
};
// The most rows and, in units, columns of a task.
struct TaskSize {
  int64_t rows, units;
};

// A unit of columns, and the row of w from which on it is multiplied.
struct WeightPlace {
  int64_t unit, at;
};
// Units of the columns of a task, and the first one of what is likely its thread's next: threads take tasks
// in turn, and those of an op take as long.
struct Columns {
  int64_t first, end, next;

  // What a thread multiplies by after a stretch of w with `depth` of k rows: the next unit, the next stretch,
  // or its next task.
  WeightPlace after(const WeightPlace& place, int64_t depth, int64_t k) const {
    if (place.unit + 1 < end) return {place.unit + 1, place.at};
    if (place.at + depth < k) return {first, place.at + depth};
    return {next, 0};
  }
};

// A row of A is copied once for each block of columns unless it is shared, an element of w widened once for
// each block of rows: blocks are as large and as square as leaves enough tasks for many threads. Few rows are
// one block: at m=154, n=768, k=3072 that and sharing them is worth 22 %.
inline TaskSize choose_task_size(int64_t m, int64_t units, const TaskUnit& least) {
  constexpr int64_t kManyTasks = 32;
  constexpr int64_t kEnoughTasks = 16;
  constexpr int64_t kSmallSide = 96;
  constexpr int64_t kMostRows = 168;
  constexpr int64_t kMostColumns = 320;
  TaskSize task{min(round_up(m, least.rows), kMostRows), min(units, ceil_div(kMostColumns, least.columns))};
  if (m <= kMostRows) task.units = min(task.units, ceil_div(units, kManyTasks));
  while (m > kMostRows) {
    const int64_t row_blocks = ceil_div(m, task.rows);
    const int64_t column_blocks = ceil_div(units, task.units);
    const int64_t tasks = row_blocks * column_blocks;
    const int64_t columns = task.units * least.columns;
    const bool small = task.rows <= kSmallSide && columns <= kSmallSide;
    if (tasks >= (small ? kEnoughTasks : kManyTasks)) break;
    if (task.units > 1 && (columns >= task.rows || task.rows <= 2 * least.rows)) {
      task.units = min(task.units - 1, ceil_div(units, column_blocks + 1));
    } else if (task.rows > 2 * least.rows) {
      task.rows = min(task.rows - least.rows, round_up(ceil_div(m, row_blocks + 1), least.rows));
    } else {
      break;
    }
  }
  return task;
}

// Copies of all rows that take up to 8 MB, which most last-level caches hold, are made once, before the
// tasks, where there is more than one block of columns.
inline bool shares_rows(const GemmShape& shape, const TaskSize& task, int64_t units) {
  constexpr int64_t kSharedFloats = 2 << 20;
  return task.units < units && shape.m * shape.k <= kSharedFloats;
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
