#include "executor.h"

#include <algorithm>
#include <map>

#include "errors.h"

namespace tintype {

void throw_if_cancelled(const std::atomic<int>& cancel) {
  const int reason = cancel;
  if (reason == cancelled_by_signal) throw Error(code::aborted, "The run was aborted.");
  if (reason == cancelled_by_dispose) throw Error(code::disposed, "The program was disposed during the run.");
}

Program::Program(std::shared_ptr<Executor> runs_on, Plan program_plan,
                 std::shared_ptr<Weights> program_weights, ProgramOptions program_options)
    : executor(std::move(runs_on)),
      plan(std::move(program_plan)),
      weights(std::move(program_weights)),
      options(program_options),
      prepared_(executor->backend().prepare(plan, weights.get(), options)),
      workspace_bytes_(prepared_->workspace_bytes) {
  executor->keep_workspace(workspace_bytes_);
}

Program::~Program() {
  executor->drop_workspace(workspace_bytes_);
  executor->release(std::move(prepared_));
}

std::shared_ptr<Executor> Executor::of_device(int device) {
  // Never destroyed: at process exit threads may still be running.
  static std::mutex& mutex = *new std::mutex;
  static auto& existing = *new std::map<int, std::weak_ptr<Executor>>;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Executor> executor = existing[device].lock();
  if (!executor) existing[device] = executor = std::shared_ptr<Executor>(new Executor(device));
  return executor;
}

Executor::Executor(int device) : backend_(open_backend(device)), thread_([this] { serve(); }) {}

Executor::~Executor() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Executor::submit(Run& run) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(&run);
  }
  wake_.notify_one();
}

void Executor::cancel(Run& run, Cancel reason) {
  int none = not_cancelled;
  run.cancel.compare_exchange_strong(none, reason);
  {
    const std::lock_guard lock(mutex_);
    const auto place = std::find(queue_.begin(), queue_.end(), &run);
    if (place == queue_.end()) return;
    queue_.erase(place);
  }
  execute(run);
}

void Executor::keep_workspace(size_t bytes) {
  const std::lock_guard lock(mutex_);
  needs_.insert(bytes);
}

void Executor::drop_workspace(size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    needs_.erase(needs_.find(bytes));
  }
  wake_.notify_one();
}

void Executor::release_workspace() {
  {
    const std::lock_guard lock(mutex_);
    workspace_released_ = true;
  }
  wake_.notify_one();
}

void Executor::release(std::shared_ptr<void> unused) {
  {
    const std::lock_guard lock(mutex_);
    released_.push_back(std::move(unused));
  }
  wake_.notify_one();
}

bool Executor::has_too_much_workspace() const {
  return workspace_released_ || backend_->workspace_bytes() > (needs_.empty() ? 0 : *needs_.rbegin());
}

bool Executor::has_too_much() const {
  return !released_.empty() || has_too_much_workspace();
}

void Executor::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || !queue_.empty() || has_too_much(); });
    if (has_too_much()) {
      give_back(lock);
    } else if (!queue_.empty()) {
      Run& run = *queue_.front();
      queue_.pop_front();
      lock.unlock();
      execute(run);
      lock.lock();
    } else {
      return;
    }
  }
}

// Frees without the lock, which JavaScript's thread may want meanwhile.
void Executor::give_back(std::unique_lock<std::mutex>& lock) {
  std::vector<std::shared_ptr<void>> unused;
  unused.swap(released_);
  if (has_too_much_workspace()) unused.push_back(backend_->take_workspace());
  workspace_released_ = false;
  lock.unlock();
  unused.clear();
  lock.lock();
}

void Executor::execute(Run& run) {
  try {
    throw_if_cancelled(run.cancel);
    const Program& program = *run.program;
    backend_->run({program.plan, program.weights.get(), program.options, *program.prepared_, run.inputs,
                   run.outputs, run.versions, run.cancel, run.seconds});
  } catch (...) {
    run.error = std::current_exception();
  }
  run.finished();
}

}  // namespace tintype
