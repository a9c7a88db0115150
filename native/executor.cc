#include "executor.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>

#include "../kernels/cpu/dispatch.h"
#include "errors.h"
#include "machine.h"

namespace tintype {

namespace {

// Operands of a node as visit_op wants them.
struct Operands {
  const std::vector<Weight>& bound;
  Weight weight(uint32_t binding) const {
    return binding == absent ? Weight{nullptr, DType::f32} : bound[binding];
  }
  void* pointer(uint32_t binding) const { return const_cast<void*>(weight(binding).data); }
};

// Scratch memory depends on dimensions, stored types and on which operands are there, but not on what they
// hold.
ScratchSize largest_scratch(const Plan& plan, const Weights* weights) {
  static const char there = 0;
  std::vector<Weight> bound;
  for (const Binding& binding : plan.bindings) {
    bound.push_back(
        {&there, binding.space == Space::weight ? weights->find(binding.weight).dtype : DType::f32});
  }
  ScratchSize largest = 0;
  for (const Node& node : plan.nodes) {
    visit_op(node.opcode, node.words.data(), process_kernels(), Operands{bound},
             [&](const auto& kernel, const auto& args) {
               const ScratchSize size = kernel.scratch(args);
               largest = {std::max(largest.each, size.each), std::max(largest.shared, size.shared)};
             });
  }
  return {round_up(largest.each, alignment), round_up(largest.shared, alignment)};
}

void throw_if_cancelled(const std::atomic<int>& cancel) {
  const int reason = cancel;
  if (reason == cancelled_by_signal) throw Error(code::aborted, "The run was aborted.");
  if (reason == cancelled_by_dispose) throw Error(code::disposed, "The program was disposed during the run.");
}

}  // namespace

const CpuKernels& process_kernels() {
  // Once: weights are packed for one instruction set.
  static const CpuKernels& kernels = []() -> const CpuKernels& {
    const char* wanted = std::getenv("TINTYPE_ISA");
    const CpuKernels* found = find_kernels(wanted == nullptr ? "" : wanted);
    if (found != nullptr) return *found;
    std::string list;
    for (const CpuKernels* supported : supported_kernels())
      list += text(list.empty() ? "" : ", ", supported->isa);
    throw Error(code::invalid_argument, "TINTYPE_ISA is \"", wanted, "\", but this machine supports ", list,
                ".");
  }();
  return kernels;
}

int default_threads() {
  const char* wanted = std::getenv("TINTYPE_THREADS");
  if (wanted == nullptr || *wanted == '\0') return std::min(available_cores(), most_threads);
  char* end = nullptr;
  const long threads = std::strtol(wanted, &end, 10);
  if (*end != '\0' || threads < 1 || threads > most_threads) {
    throw Error(code::invalid_argument, "TINTYPE_THREADS is \"", wanted, "\", expected 1 to ", most_threads,
                ".");
  }
  return static_cast<int>(threads);
}

Program::Program(std::shared_ptr<Executor> runs_on, Plan program_plan,
                 std::shared_ptr<Weights> program_weights, ProgramOptions program_options)
    : executor(std::move(runs_on)),
      plan(std::move(program_plan)),
      weights(std::move(program_weights)),
      options(program_options),
      scratch(largest_scratch(plan, weights.get())),
      workspace_bytes(round_up(plan.arena_bytes, alignment) + scratch.shared +
                      scratch.each * static_cast<size_t>(options.threads)) {
  executor->keep_workspace(workspace_bytes);
}

Program::~Program() {
  executor->drop_workspace(workspace_bytes);
}

std::shared_ptr<Executor> Executor::shared() {
  // Never destroyed: at process exit threads may still be running.
  static std::mutex& mutex = *new std::mutex;
  static std::weak_ptr<Executor>& existing = *new std::weak_ptr<Executor>;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Executor> executor = existing.lock();
  if (!executor) existing = executor = std::shared_ptr<Executor>(new Executor);
  return executor;
}

Executor::Executor() : thread_([this] { serve(); }) {}

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

void Executor::release(std::unique_ptr<Weights> weights) {
  {
    const std::lock_guard lock(mutex_);
    released_.push_back(std::move(weights));
  }
  wake_.notify_one();
}

bool Executor::has_too_much() const {
  return !released_.empty() || workspace_.size() > (needs_.empty() ? 0 : *needs_.rbegin());
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
  std::vector<std::unique_ptr<Weights>> weights;
  weights.swap(released_);
  Block workspace;
  if (has_too_much()) workspace = std::move(workspace_);
  lock.unlock();
  weights.clear();
  workspace = Block();
  lock.lock();
}

void Executor::execute(Run& run) {
  try {
    run_nodes(run);
  } catch (...) {
    run.error = std::current_exception();
  }
  run.finished();
}

void Executor::run_nodes(Run& run) {
  throw_if_cancelled(run.cancel);
  const Program& program = *run.program;
  const Plan& plan = program.plan;
  const CpuKernels& kernels = process_kernels();
  reserve(program);
  pool_.use(program.options.threads, run.cancel);
  char* scratch = workspace_.data() + round_up(plan.arena_bytes, alignment);
  const Exec exec{[](void* pool, int64_t tasks, Exec::Body body, void* context) {
                    static_cast<Pool*>(pool)->parallel_for(tasks, body, context);
                  },
                  &pool_,
                  program.options.threads,
                  scratch,
                  scratch + program.scratch.shared,
                  program.scratch.each};
  std::vector<Weight> bound;
  for (const Binding& binding : plan.bindings) {
    switch (binding.space) {
      case Space::arena:
        bound.push_back({workspace_.data() + binding.place, DType::f32});
        break;
      case Space::input:
        bound.push_back({run.inputs[binding.place], DType::f32});
        break;
      case Space::output:
        bound.push_back({run.outputs[binding.place], DType::f32});
        break;
      case Space::weight:
        bound.push_back(program.weights->find(binding.weight));
        break;
    }
  }
  Loading loading{kernels, exec, run.cancel, Block()};
  if (program.options.profile) run.seconds.reserve(plan.nodes.size());
  for (const Node& node : plan.nodes) {
    using Clock = std::chrono::steady_clock;
    load_weights(node, program, bound, loading);
    const Clock::time_point start = Clock::now();
    visit_op(node.opcode, node.words.data(), kernels, Operands{bound},
             [&](const auto& kernel, const auto& args) { kernel.run(args, exec); });
    throw_if_cancelled(run.cancel);
    if (program.options.profile) {
      run.seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
  }
}

// Makes room for the program before it touches anything: what is missing is told at once and in one sum.
void Executor::reserve(const Program& program) {
  uint64_t missing = 0, staging = 0;
  for (const Binding& binding : program.plan.bindings) {
    if (binding.space != Space::weight || program.weights->find(binding.weight).data != nullptr) continue;
    missing += program.weights->bytes(binding.weight, process_kernels());
    staging = std::max(staging, program.weights->tensor(binding.weight.tensor).bytes());
  }
  const bool grow = workspace_.size() < program.workspace_bytes;
  if (grow) {
    workspace_ = Block();
    missing += program.workspace_bytes;
  }
  require_memory(missing + staging, "Running this program");
  if (grow) workspace_ = Block(program.workspace_bytes, "The workspace");
}

void Executor::load_weights(const Node& node, const Program& program, std::vector<Weight>& bound,
                            Loading& loading) {
  const OpInfo& info = node.info();
  for (int i = 0; i < info.operand_count; i++) {
    const uint32_t index = node.words[static_cast<size_t>(info.dims + i)];
    if (index == absent || bound[index].data != nullptr) continue;
    const Binding& binding = program.plan.bindings[index];
    if (binding.space == Space::weight) bound[index] = program.weights->load(binding.weight, loading);
  }
}

}  // namespace tintype
