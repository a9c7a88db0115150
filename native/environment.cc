#include "environment.h"

#include <algorithm>
#include <new>

#include "errors.h"

namespace tintype {

Napi::Error to_javascript(Napi::Env env, const std::exception_ptr& thrown) {
  const auto make = [&](const char* error_code, const char* message) {
    Napi::Error error = Napi::Error::New(env, message);
    error.Set("code", Napi::String::New(env, error_code));
    return error;
  };
  try {
    std::rethrow_exception(thrown);
  } catch (const Napi::Error& error) {
    return error;
  } catch (const Error& error) {
    return make(error.code, error.what());
  } catch (const std::bad_alloc&) {
    return make(code::out_of_memory, "The system has no memory left.");
  } catch (const std::exception& error) {
    return make(code::internal, error.what());
  }
}

PendingRun::PendingRun(Environment& owner, Napi::Env env, Napi::Array views)
    : owner_(owner), deferred_(Napi::Promise::Deferred::New(env)), views_(Napi::Persistent(views)) {}

void PendingRun::finished() {
  owner_.complete(*this);
}

void PendingRun::settle(Napi::Env env) {
  if (error) {
    deferred_.Reject(to_javascript(env, error).Value());
  } else if (program->options.profile) {
    auto result = Napi::Float64Array::New(env, seconds.size());
    std::copy(seconds.begin(), seconds.end(), result.Data());
    deferred_.Resolve(result);
  } else {
    deferred_.Resolve(env.Undefined());
  }
}

Environment::Environment(Napi::Env env) : env_(env) {
  const auto deliver_all = [](napi_env to, napi_value, void* context, void*) {
    if (to == nullptr) return;
    // While an environment ends every call into it may throw, and nobody waits for the outcome any more.
    try {
      static_cast<Environment*>(context)->deliver(to);
    } catch (...) {
    }
  };
  const Napi::String name = Napi::String::New(env, "tintype");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, deliver_all,
                                      &to_javascript_thread_) != napi_ok ||
      napi_unref_threadsafe_function(env, to_javascript_thread_) != napi_ok) {
    throw Error(code::internal, "no way back to the JavaScript thread");
  }
  // Hooks run in reverse order: this one before the one that ends the thread-safe function.
  env.AddCleanupHook([](Environment* ending) { ending->close(); }, this);
}

const std::shared_ptr<Executor>& Environment::executor(int device) {
  std::shared_ptr<Executor>& executor = executors_[device];
  if (!executor) executor = Executor::of_device(device);
  return executor;
}

void Environment::start(const std::shared_ptr<PendingRun>& run) {
  // A pending run keeps the process alive, an idle addon does not.
  if (pending_.empty()) napi_ref_threadsafe_function(env_, to_javascript_thread_);
  pending_.emplace(run.get(), run);
  {
    const std::lock_guard lock(mutex_);
    running_++;
    complete_.reserve(pending_.size());  // the executor's thread must not run out of memory there
  }
  run->program->executor->submit(*run);
}

void Environment::stop_runs(const Program* program) {
  for (const auto& [key, run] : pending_) {
    if (program == nullptr || run->program.get() == program) run->stop(cancelled_by_dispose);
  }
}

void Environment::complete(PendingRun& run) {
  // Everything under the lock: once close() sees that nothing runs, this object may go.
  const std::lock_guard lock(mutex_);
  complete_.push_back(&run);
  running_--;
  napi_call_threadsafe_function(to_javascript_thread_, nullptr, napi_tsfn_nonblocking);
  idle_.notify_all();
}

void Environment::deliver(Napi::Env env) {
  const Napi::HandleScope scope(env);
  std::vector<PendingRun*> runs;
  {
    const std::lock_guard lock(mutex_);
    runs = complete_;
    complete_.clear();
  }
  for (PendingRun* key : runs) {
    const std::shared_ptr<PendingRun> run = pending_.extract(key).mapped();
    if (pending_.empty()) napi_unref_threadsafe_function(env_, to_javascript_thread_);
    run->settle(env);
  }
  report_memory(env);
}

void Environment::report_memory(Napi::Env env) {
  int64_t bytes = 0;
  std::erase_if(watched_, [&](const std::weak_ptr<Weights>& watched) {
    const std::shared_ptr<Weights> weights = watched.lock();
    if (weights) bytes += static_cast<int64_t>(weights->resident_bytes());
    return weights == nullptr;
  });
  if (bytes != reported_bytes_) Napi::MemoryManagement::AdjustExternalMemory(env, bytes - reported_bytes_);
  reported_bytes_ = bytes;
}

void Environment::close() {
  stop_runs(nullptr);
  {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return running_ == 0; });
    complete_.clear();
  }
  pending_.clear();
  napi_release_threadsafe_function(to_javascript_thread_, napi_tsfn_abort);
}

}  // namespace tintype
