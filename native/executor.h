// Programs, and the one thread of the process that runs them in the order in which they were submitted.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "../kernels/cpu/table.gen.h"
#include "memory.h"
#include "plan.h"
#include "pool.h"
#include "weights.h"

namespace tintype {

// The kernels of this process: of the best instruction set, or of the one that TINTYPE_ISA names.
const CpuKernels& process_kernels();

// TINTYPE_THREADS, or one for each core that the process may use.
int default_threads();
inline constexpr int most_threads = 256;

class Executor;

struct ProgramOptions {
  int threads;
  bool profile;
};

// A plan bound to its weights. Lives and dies on JavaScript's thread: the executor only borrows it.
class Program {
 public:
  Program(std::shared_ptr<Executor> runs_on, Plan program_plan, std::shared_ptr<Weights> program_weights,
          ProgramOptions program_options);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const std::shared_ptr<Executor> executor;
  const Plan plan;
  const std::shared_ptr<Weights> weights;
  const ProgramOptions options;
  const ScratchSize scratch;
  const size_t workspace_bytes;
};

enum Cancel : int { not_cancelled, cancelled_by_signal, cancelled_by_dispose };

// One execution of a program.
struct Run {
  std::shared_ptr<const Program> program;
  std::vector<void*> inputs, outputs;  // memory of JavaScript, one for each slot
  std::atomic<int> cancel{not_cancelled};
  std::exception_ptr error;     // after it finished: why it failed
  std::vector<double> seconds;  // and how long each node took, where the program is profiled

  virtual ~Run() = default;
  // The last that the executor has to do with the run.
  virtual void finished() = 0;
};

class Executor {
 public:
  // The executor of the process, which lasts as long as somebody owns it. The last owner is never its own
  // thread.
  static std::shared_ptr<Executor> shared();
  ~Executor();

  void submit(Run& run);

  // Makes the run end with that reason, unless it has another: at once when it is still waiting for its turn.
  void cancel(Run& run, Cancel reason);

  // A program that lives keeps as much workspace from being released as it needs.
  void keep_workspace(size_t bytes);
  void drop_workspace(size_t bytes);

  // Frees weights on the executor's thread: giving back gigabytes would hold up the event loop.
  void release(std::unique_ptr<Weights> weights);

 private:
  Executor();
  void serve();
  void give_back(std::unique_lock<std::mutex>& lock);
  void execute(Run& run);
  void run_nodes(Run& run);
  void reserve(const Program& program);
  void load_weights(const Node& node, const Program& program, std::vector<Weight>& bound, Loading& loading);
  bool has_too_much() const;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Run*> queue_;
  std::multiset<size_t> needs_;  // of the living programs
  std::vector<std::unique_ptr<Weights>> released_;
  bool stop_ = false;

  // Arena and scratch memory: one for all programs, since runs follow each other. Executor's thread only.
  Block workspace_;
  Pool pool_;
  std::thread thread_;
};

}  // namespace tintype
