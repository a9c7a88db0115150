#include "pool.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace tintype {

namespace {

void relax() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__) && !defined(_MSC_VER)
  asm volatile("yield");
#endif
}

// Loops follow each other within microseconds while a program runs, and waking a sleeping thread takes tens
// of them: so a thread looks around for a moment before it sleeps. Idle processes do not spin.
template <class Condition>
void spin_until(Condition condition) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + std::chrono::microseconds(50);
  while (!condition() && Clock::now() < end) {
    for (int i = 0; i < 32; i++) relax();
  }
}

}  // namespace

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

int Pool::use(int threads, const std::atomic<int>& cancel) {
  try {
    while (present() < threads) workers_.emplace_back([this, thread = present()] { serve(thread); });
  } catch (const std::system_error&) {
    // Containers limit how many threads there may be. Fewer compute the same.
  }
  const std::lock_guard lock(mutex_);
  threads_ = std::min(threads, present());
  cancel_ = &cancel;
  return threads_;
}

void Pool::parallel_for(int64_t tasks, Exec::Body body, void* context) {
  const bool shared = threads_ > 1 && tasks > 1;
  {
    const std::lock_guard lock(mutex_);
    body_ = body;
    context_ = context;
    tasks_ = tasks;
    next_.store(0, std::memory_order_relaxed);
    open_ = shared;
    if (shared) loops_.fetch_add(1, std::memory_order_relaxed);
  }
  if (shared) wake_.notify_all();
  work(0);
  if (!shared) return;
  // A worker that has not entered by now is not waited for: on a busy machine it may take long to wake.
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  spin_until([this] { return inside_.load(std::memory_order_relaxed) == 0; });
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return inside_.load(std::memory_order_relaxed) == 0; });
}

void Pool::work(int thread) {
  while (!is_cancelled()) {
    const int64_t task = next_.fetch_add(1, std::memory_order_relaxed);
    if (task >= tasks_) return;
    body_(context_, task, thread);
  }
}

void Pool::serve(int thread) {
  uint64_t seen = 0;
  for (;;) {
    spin_until([&] { return loops_.load(std::memory_order_relaxed) != seen; });
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return stop_ || loops_.load(std::memory_order_relaxed) != seen; });
    if (stop_) return;
    seen = loops_.load(std::memory_order_relaxed);
    if (!open_ || thread >= threads_) continue;
    inside_.fetch_add(1, std::memory_order_relaxed);
    lock.unlock();
    work(thread);
    lock.lock();
    if (inside_.fetch_sub(1, std::memory_order_relaxed) == 1 && !open_) idle_.notify_one();
  }
}

}  // namespace tintype
