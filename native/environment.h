// The part of the addon that belongs to one JavaScript environment (the main thread, or a worker): its
// pending runs, and the way back from the executor's thread to its own.
#pragma once
#include <napi.h>

#include <condition_variable>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "executor.h"

namespace tintype {

// A JavaScript error with the message and the code of what was thrown.
Napi::Error to_javascript(Napi::Env env, const std::exception_ptr& thrown);

class Environment;

// A run that JavaScript waits for. Holds the views, so that their memory stays.
class PendingRun final : public Run {
 public:
  PendingRun(Environment& owner, Napi::Env env, Napi::Array views);
  void finished() override;
  Napi::Promise promise() const { return deferred_.Promise(); }
  void settle(Napi::Env env);
  void stop(Cancel reason) { program->executor->cancel(*this, reason); }

 private:
  Environment& owner_;
  Napi::Promise::Deferred deferred_;
  Napi::Reference<Napi::Array> views_;
};

class Environment {
 public:
  explicit Environment(Napi::Env env);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  // The executors, kept from ending while the environment lives: threads are not made anew for each program.
  const std::shared_ptr<Executor>& executor(int device);

  void start(const std::shared_ptr<PendingRun>& run);
  // Stops the pending runs of a program, or all.
  void stop_runs(const Program* program);
  // Called on the executor's thread.
  void complete(PendingRun& run);

  // Tells the garbage collector what weights take, so that it looks for forgotten handles.
  void watch(const std::shared_ptr<Weights>& weights) { watched_.push_back(weights); }

  Napi::FunctionReference program_class, weight_set_class;

 private:
  void deliver(Napi::Env env);
  void report_memory(Napi::Env env);
  void close();

  napi_env env_;
  std::map<int, std::shared_ptr<Executor>> executors_;
  napi_threadsafe_function to_javascript_thread_ = nullptr;
  std::unordered_map<Run*, std::shared_ptr<PendingRun>> pending_;
  std::vector<std::weak_ptr<Weights>> watched_;
  int64_t reported_bytes_ = 0;

  std::mutex mutex_;
  std::condition_variable idle_;
  size_t running_ = 0;  // submitted and not complete
  std::vector<PendingRun*> complete_;
};

}  // namespace tintype
