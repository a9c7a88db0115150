// Loops over tasks with a lambda for a body, and over elements in chunks that are worth a task.
#pragma once
#include "../exec.h"
#include "simd.h"

namespace tintype::TINTYPE_ISA {
namespace {

// body(task, thread) for every task. One task stays on the calling thread, as thread 0.
template <class F>
inline void parallel_for(const Exec& exec, int64_t tasks, const F& body) {
  const Exec::Body call = [](void* context, int64_t task, int thread) {
    (*static_cast<const F*>(context))(task, thread);
    settle_stores();
  };
  F* const context = const_cast<F*>(&body);
  if (tasks == 1) return call(context, 0, 0);
  if (tasks > 0) exec.parallel_for(exec.pool, tasks, call, context);
}

// 64 KiB of floats: some 10 us of work, ten times what handing out a task costs.
constexpr int64_t kChunk = 16384;

// body(first, last) over [0, count) in chunks that don't depend on the number of threads.
template <class F>
inline void parallel_chunks(const Exec& exec, int64_t count, int64_t chunk, const F& body) {
  parallel_for(exec, (count + chunk - 1) / chunk, [&](int64_t task, int) {
    const int64_t first = task * chunk;
    body(first, first + chunk < count ? first + chunk : count);
  });
}

// Rows of `width` elements: as many to a task as make a chunk.
inline int64_t rows_per_chunk(int64_t width) {
  return width < kChunk ? kChunk / (width > 0 ? width : 1) : 1;
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
