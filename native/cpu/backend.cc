#include "backend.h"

#include <algorithm>
#include <chrono>

#include "../../kernels/cpu/dispatch.h"
#include "../errors.h"
#include "kernels.h"
#include "weight_loader.h"

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

struct CpuPrepared final : Prepared {
  ScratchSize scratch = 0;
};

// Scratch memory depends on dimensions, stored types and on which operands are there, but not on what they
// hold.
ScratchSize largest_scratch(const Plan& plan, const Weights* weights) {
  static const char there = 0;
  std::vector<Weight> bound;
  for (const Binding& binding : plan.bindings) {
    const bool is_weight = binding.space == Space::weight;
    bound.push_back({&there, is_weight ? kept_dtype(*weights, binding.weight) : DType::f32});
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

// The weights of a node, which are read when it is their turn.
void load_weights(const Node& node, const Plan& plan, std::vector<Weight>& bound, WeightLoader& loader) {
  const OpInfo& info = node.info();
  for (int i = 0; i < info.operand_count; i++) {
    const uint32_t index = node.words[static_cast<size_t>(info.dims + i)];
    if (index == absent || bound[index].data != nullptr) continue;
    const Binding& binding = plan.bindings[index];
    if (binding.space == Space::weight) bound[index] = loader.load(binding.weight);
  }
}

}  // namespace

std::shared_ptr<Prepared> CpuBackend::prepare(const Plan& plan, const Weights* weights,
                                              const ProgramOptions& options) const {
  if (plan.activations.f16 || plan.activations.bf16 || options.fast) {
    throw Error(code::internal, "invalid plan: the CPU computes in float32");
  }
  const bool multiplies_bf16 = plan.multiplies_bf16 || (weights && weights->matrices() == Matrices::bf16);
  if (multiplies_bf16 && pair_products(process_kernels()) == PairProducts::none) {
    throw Error(code::internal, "this CPU lacks the instructions for bf16");
  }
  const auto prepared = std::make_shared<CpuPrepared>();
  prepared->scratch = largest_scratch(plan, weights);
  prepared->workspace_bytes = round_up(plan.arena_bytes, alignment) + prepared->scratch.shared +
                              prepared->scratch.each * static_cast<size_t>(options.threads);
  return prepared;
}

std::shared_ptr<void> CpuBackend::take_workspace() {
  return std::make_shared<Block>(std::move(workspace_));
}

void CpuBackend::run(const Work& work) {
  const Plan& plan = work.plan;
  reserve(work);
  const int threads = pool_.use(work.options.threads, work.cancel);
  const ScratchSize scratch_size = static_cast<const CpuPrepared&>(work.prepared).scratch;
  char* scratch = workspace_.data() + round_up(plan.arena_bytes, alignment);
  const Exec exec{[](void* pool, int64_t tasks, Exec::Body body, void* context) {
                    static_cast<Pool*>(pool)->parallel_for(tasks, body, context);
                  },
                  [](void* pool) { return static_cast<const Pool*>(pool)->is_cancelled(); },
                  &pool_,
                  threads,
                  scratch,
                  scratch + scratch_size.shared,
                  scratch_size.each};
  std::vector<Weight> bound;
  for (const Binding& binding : plan.bindings) {
    switch (binding.space) {
      case Space::arena:
        bound.push_back({workspace_.data() + binding.place, DType::f32});
        break;
      case Space::input:
        bound.push_back({work.inputs[binding.place], DType::f32});
        break;
      case Space::output:
        bound.push_back({work.outputs[binding.place], DType::f32});
        break;
      case Space::weight:
        bound.push_back({nullptr, DType::f32});
        break;
    }
  }
  WeightLoader loader(work.weights, exec, work.cancel);
  if (work.options.profile) work.seconds.reserve(plan.nodes.size());
  for (const Node& node : plan.nodes) {
    using Clock = std::chrono::steady_clock;
    load_weights(node, plan, bound, loader);
    const Clock::time_point start = Clock::now();
    visit_op(node.opcode, node.words.data(), process_kernels(), Operands{bound},
             [&](const auto& kernel, const auto& args) { kernel.run(args, exec); });
    throw_if_cancelled(work.cancel);
    if (work.options.profile) {
      work.seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    }
  }
}

// Makes room for the program before it touches anything: what is missing is told at once and in one sum.
void CpuBackend::reserve(const Work& work) {
  uint64_t missing = 0, staging = 0;
  for (const Binding& binding : work.plan.bindings) {
    if (binding.space != Space::weight || work.weights->find(binding.weight)) continue;
    missing += kept_bytes(*work.weights, binding.weight);
    staging = std::max(staging, work.weights->tensor(binding.weight.tensor).bytes());
  }
  const size_t wanted = work.prepared.workspace_bytes;
  const bool grow = workspace_.size() < wanted;
  if (grow) {
    workspace_ = Block();
    missing += wanted;
  }
  require_memory(missing + staging, "Running this program");
  if (grow) workspace_ = Block(wanted, "The workspace");
}

}  // namespace tintype
