// What a kernel gets to run with: threads and scratch memory. Knows nothing of what it executes.
#pragma once
#include <cstddef>
#include <cstdint>

namespace tintype {

// Bytes of scratch memory that a kernel needs: for each thread, and once for all of them.
struct ScratchSize {
  size_t each, shared;
  ScratchSize(size_t for_each, size_t for_all = 0) : each(for_each), shared(for_all) {}
};

struct Exec {
  // Runs body(context, task, thread) for every task in [0, tasks), in any order, on up to `threads` threads,
  // and returns when all have finished. Calls must not nest. After a cancel the remaining tasks are skipped,
  // so results must not be relied on for control flow. Which thread takes which task varies from run to run:
  // a task's result must depend on nothing but the task, or output bytes would depend on the number of
  // threads.
  using Body = void (*)(void* context, int64_t task, int thread);
  void (*parallel_for)(void* pool, int64_t tasks, Body body, void* context);
  // Whether there was a cancel: a task of more than some milliseconds asks now and then, and returns early.
  bool (*is_cancelled)(void* pool);
  void* pool;
  int threads;

  // One block of scratch memory for each thread and one for all, 64-byte aligned, as large as the kernel's
  // scratch() asked for.
  char* shared_scratch;
  char* scratch_base;
  size_t scratch_stride;
  template <class T>
  T* scratch(int thread) const {
    return reinterpret_cast<T*>(scratch_base + scratch_stride * static_cast<size_t>(thread));
  }
};

}  // namespace tintype
