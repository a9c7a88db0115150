// The threads that share the tasks of one parallel loop at a time. Knows nothing of what they compute.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "../../kernels/exec.h"

namespace tintype {

class Pool {
 public:
  ~Pool();

  // How many threads take part in the loops that follow, the calling one among them, and what makes them skip
  // the rest of a loop: *cancel being other than 0. Returns how many there are: the system may refuse some.
  int use(int threads, const std::atomic<int>& cancel);

  // Calls body for every task; the calling thread is thread 0. As Exec::parallel_for.
  void parallel_for(int64_t tasks, Exec::Body body, void* context);

  // For tasks that would rather not run to their end. As Exec::is_cancelled.
  bool is_cancelled() const { return cancel_->load(std::memory_order_relaxed) != 0; }

 private:
  int present() const { return static_cast<int>(workers_.size()) + 1; }
  void serve(int thread);
  void work(int thread);

  int threads_ = 1;
  const std::atomic<int>* cancel_ = nullptr;
  std::vector<std::thread> workers_;

  // The loop: changed under the mutex, while no worker is inside.
  Exec::Body body_ = nullptr;
  void* context_ = nullptr;
  int64_t tasks_ = 0;
  std::atomic<int64_t> next_{0};

  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::atomic<uint64_t> loops_{0};  // begun so far: a change is what workers wait for
  std::atomic<int> inside_{0};      // workers in the loop
  bool open_ = false;               // workers may enter
  bool stop_ = false;
};

}  // namespace tintype
