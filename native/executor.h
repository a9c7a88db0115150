// Programs, and the one thread of each device that runs them in the order in which they were submitted.
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

#include "backend.h"

namespace tintype {

class Executor;

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

 private:
  friend class Executor;
  std::shared_ptr<Prepared> prepared_;
  const size_t workspace_bytes_;
};

// One execution of a program.
struct Run {
  std::shared_ptr<const Program> program;
  std::vector<void*> inputs, outputs;  // memory of JavaScript, one for each slot
  // Of each input: the same number, the same contents as in the last run of the program; 0 where nobody
  // knows.
  std::vector<uint32_t> versions;
  std::atomic<int> cancel{not_cancelled};
  std::exception_ptr error;     // after it finished: why it failed
  std::vector<double> seconds;  // and how long each node took, where the program is profiled

  virtual ~Run() = default;
  // The last that the executor has to do with the run.
  virtual void finished() = 0;
};

class Executor {
 public:
  // The executor of a device, which lasts as long as somebody owns it. The last owner is never its own
  // thread.
  static std::shared_ptr<Executor> of_device(int device);
  ~Executor();

  const Backend& backend() const { return *backend_; }
  void submit(Run& run);

  // Makes the run end with that reason, unless it has another: at once when it is still waiting for its turn.
  void cancel(Run& run, Cancel reason);

  // A program that lives keeps as much workspace from being released as it needs.
  void keep_workspace(size_t bytes);
  void drop_workspace(size_t bytes);
  // Gives the workspace back before the next run, which takes as much as it needs itself.
  void release_workspace();

  // Lets go of something on the executor's thread: giving back gigabytes would hold up the event loop.
  void release(std::shared_ptr<void> unused);

 private:
  explicit Executor(int device);
  void serve();
  void give_back(std::unique_lock<std::mutex>& lock);
  void execute(Run& run);
  bool has_too_much() const;
  bool has_too_much_workspace() const;

  const std::unique_ptr<Backend> backend_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Run*> queue_;
  std::multiset<size_t> needs_;  // of the living programs
  std::vector<std::shared_ptr<void>> released_;
  bool workspace_released_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace tintype
