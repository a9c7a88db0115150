#include "backend.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "../../kernels/cuda/table.h"
#include "../errors.h"
#include "../memory.h"
#include "tensor_maps.h"
#include "weight_loader.h"

namespace tintype::cuda {

struct CudaPrepared final : Prepared, std::enable_shared_from_this<CudaPrepared> {
  DType element = DType::f16;
  Precision precision = Precision::f16;
  Gpu gpu{};  // as kernels of that precision find it
  size_t arena_bytes = 0;
  std::vector<std::shared_ptr<void>> inputs, outputs;  // one buffer for each slot
  std::vector<uint32_t> sent;                          // version of what each input holds, 0 where unknown
  std::vector<std::shared_ptr<void>> separate;         // one for each value of the arena, where wanted
  bool is_warm = false;                                // every kernel has been loaded
  std::vector<std::unique_ptr<LaunchGraph>> graphs;    // one for each segment
  const void* captured_with = nullptr;                 // the workspace that the graphs write to

  void drop_graphs() {
    graphs.clear();
    captured_with = nullptr;
  }
  void drop_memory() {
    inputs.clear();
    sent.clear();
    outputs.clear();
    separate.clear();
  }
};

namespace {

constexpr size_t device_alignment = 256;
// Nodes between two moments at which a run can be cancelled: some milliseconds of work.
constexpr size_t segment_nodes = 32;

struct Segment {
  size_t first, end;
};

std::vector<Segment> segments_of(const Plan& plan) {
  std::vector<Segment> segments;
  for (size_t first = 0; first < plan.nodes.size(); first += segment_nodes) {
    segments.push_back({first, std::min(plan.nodes.size(), first + segment_nodes)});
  }
  return segments;
}

struct Operands {
  const std::vector<Weight>& bound;
  Weight weight(uint32_t binding) const {
    return binding == absent ? Weight{nullptr, DType::f32} : bound[binding];
  }
  void* pointer(uint32_t binding) const { return const_cast<void*>(weight(binding).data); }
};

// What the host part of a kernel talks to.
class NodeLauncher final : public Launcher {
 public:
  NodeLauncher(Device& device, const CudaPrepared& prepared, void* workspace)
      : device_(device), precision_(prepared.precision), gpu_(prepared.gpu), workspace_(workspace) {}
  void launch(const Launch& launch) override { device_.launch(launch, precision_); }
  TensorMap map(const BoxedTensor& tensor) override { return map_tensor(device_, tensor); }
  const Gpu& gpu() const override { return gpu_; }
  void* workspace() const override { return workspace_; }

 private:
  Device& device_;
  const Precision precision_;
  const Gpu gpu_;
  void* workspace_;
};

// Everything that the nodes of a plan need to be launched.
struct Bound {
  const Plan& plan;
  const std::vector<Weight> operands;
  NodeLauncher launcher;

  void launch(const Segment& segment) {
    for (size_t i = segment.first; i < segment.end; i++) launch(plan.nodes[i]);
  }
  void launch(const Node& node) {
    static const Kernels kernels;
    visit_op(node.opcode, node.words.data(), kernels, Operands{operands},
             [&](const auto& kernel, const auto& args) { kernel.run(args, launcher); });
  }
};

// Of all kernels the most that one of them keeps between its launches. Operands are there, but lie nowhere.
size_t largest_workspace(const Plan& plan, const Gpu& gpu) {
  static const char there = 0;
  const std::vector<Weight> bound(plan.bindings.size(), {&there, DType::f32});
  static const Kernels kernels;
  size_t largest = 0;
  for (const Node& node : plan.nodes) {
    visit_op(node.opcode, node.words.data(), kernels, Operands{bound},
             [&](const auto& kernel, const auto& args) {
               largest = std::max(largest, kernel.workspace(args, gpu));
             });
  }
  return largest;
}

}  // namespace

std::shared_ptr<Prepared> CudaBackend::prepare(const Plan& plan, const Weights* weights,
                                               const ProgramOptions& options) const {
  const auto [f32, f16, bf16] = plan.activations;
  if (f32 || (f16 && bf16)) throw Error(code::internal, "invalid plan: CUDA computes in f16 or in bf16");
  if (weights && weights->matrices() != Matrices::stored) {
    throw Error(code::internal, "rounded weights are for the CPU");
  }
  if (plan.contracts) throw Error(code::internal, "invalid plan: contractions in place are for the CPU");
  if (plan.measures_channels)
    throw Error(code::internal, "invalid plan: moments of channels are for the CPU");
  const auto prepared = std::make_shared<CudaPrepared>();
  if (bf16 && options.fast) throw Error(code::internal, "invalid plan: fast sums are for f16");
  prepared->element = bf16 ? DType::bf16 : DType::f16;
  prepared->precision = bf16 ? Precision::bf16 : options.fast ? Precision::fast : Precision::f16;
  prepared->gpu = device_->gpu();
  prepared->gpu.is_fast = options.fast;
  prepared->arena_bytes = round_up(plan.arena_bytes, device_alignment);
  prepared->workspace_bytes = prepared->arena_bytes + largest_workspace(plan, prepared->gpu);
  return prepared;
}

std::shared_ptr<void> CudaBackend::take_workspace() {
  workspace_bytes_ = 0;
  return std::move(workspace_);
}

std::shared_ptr<void> CudaBackend::allocate(size_t bytes, const char* what) {
  if (bytes == 0) return nullptr;
  return {device_->allocate(bytes, what), [device = device_](void* memory) { device->free(memory); }};
}

void CudaBackend::upload(void* to, const void* from, size_t bytes) {
  std::memcpy(device_->staging(bytes), from, bytes);
  device_->upload(to, bytes);
}

void CudaBackend::reserve(const Work& work) {
  auto& state = static_cast<CudaPrepared&>(work.prepared);
  if (workspace_bytes_ < state.workspace_bytes) {
    take_workspace();
    workspace_ = allocate(state.workspace_bytes, "The workspace");
    workspace_bytes_ = state.workspace_bytes;
  }
  const auto make = [&](const std::vector<Slot>& slots, std::vector<std::shared_ptr<void>>& buffers) {
    for (size_t i = buffers.size(); i < slots.size(); i++)
      buffers.push_back(allocate(slots[i].bytes, "An input or output"));
  };
  make(work.plan.inputs, state.inputs);
  make(work.plan.outputs, state.outputs);
  state.sent.resize(state.inputs.size());
  if (!options_.separate_values) return;
  for (size_t i = state.separate.size(); i < work.plan.bindings.size(); i++) {
    const Binding& binding = work.plan.bindings[i];
    state.separate.push_back(binding.space == Space::arena ? allocate(binding.bytes, "A value") : nullptr);
  }
}

void CudaBackend::load_weights(const Work& work) {
  const auto& state = static_cast<const CudaPrepared&>(work.prepared);
  WeightLoader loader(device_, work.weights, state.element, work.cancel);
  for (const Binding& binding : work.plan.bindings) {
    if (binding.space == Space::weight) loader.load(binding.weight);
  }
}

template <class T>
void add(std::vector<std::weak_ptr<T>>& all, const std::shared_ptr<T>& one) {
  std::erase_if(all, [](const auto& known) { return known.expired(); });
  const auto same = [&](const auto& known) { return known.lock() == one; };
  if (std::none_of(all.begin(), all.end(), same)) all.push_back(one);
}

void CudaBackend::remember(const Work& work) {
  add(programs_, static_cast<CudaPrepared&>(work.prepared).shared_from_this());
  if (work.weights) add(weights_, work.weights->shared_from_this());
}

// Gives back what is quickly made again: graphs, the memory of other programs, a workspace that was larger.
void CudaBackend::drop_buffers(const Work& work) {
  for (const auto& known : programs_) {
    const std::shared_ptr<CudaPrepared> program = known.lock();
    if (!program) continue;
    program->drop_graphs();
    if (program.get() != &work.prepared) program->drop_memory();
  }
  if (workspace_bytes_ > work.prepared.workspace_bytes) take_workspace();
}

// Gives back weights that this run does not use. They come to other places then, which graphs do not know:
// there are none but those of this run.
void CudaBackend::drop_weights(const Work& work) {
  std::vector<WeightUse> used;
  for (const Binding& binding : work.plan.bindings) {
    if (binding.space == Space::weight) used.push_back(binding.weight);
  }
  for (const auto& known : weights_) {
    const std::shared_ptr<Weights> weights = known.lock();
    if (weights) weights->drop_all_but(weights.get() == work.weights ? used : std::vector<WeightUse>());
  }
}

// Whether there was memory for it.
bool CudaBackend::fits(const Work& work) {
  try {
    run_once(work);
    return true;
  } catch (const Error& e) {
    if (e.code != code::out_of_memory) throw;
    return false;
  }
}

void CudaBackend::run(const Work& work) {
  remember(work);
  if (fits(work)) return;
  drop_buffers(work);
  if (fits(work)) return;
  drop_weights(work);
  run_once(work);
}

void CudaBackend::run_once(const Work& work) {
  work.seconds.clear();
  auto& state = static_cast<CudaPrepared&>(work.prepared);
  const Plan& plan = work.plan;
  reserve(work);
  load_weights(work);
  std::vector<Weight> operands;
  for (size_t i = 0; i < plan.bindings.size(); i++) {
    const Binding& binding = plan.bindings[i];
    switch (binding.space) {
      case Space::arena:
        operands.push_back({options_.separate_values ? state.separate[i].get()
                                                     : static_cast<char*>(workspace_.get()) + binding.place,
                            state.element});
        break;
      case Space::input:
        operands.push_back({state.inputs[binding.place].get(), state.element});
        break;
      case Space::output:
        operands.push_back({state.outputs[binding.place].get(), state.element});
        break;
      case Space::weight:
        operands.push_back({work.weights->find(binding.weight)->data(), state.element});
        break;
    }
  }
  Bound bound{plan, std::move(operands),
              NodeLauncher(*device_, state, static_cast<char*>(workspace_.get()) + state.arena_bytes)};
  for (size_t i = 0; i < plan.inputs.size(); i++) {
    const uint32_t version = work.versions[i];
    if (plan.inputs[i].bytes == 0 || (version != 0 && version == state.sent[i])) continue;
    state.sent[i] = 0;
    upload(state.inputs[i].get(), work.inputs[i], plan.inputs[i].bytes);
    state.sent[i] = version;
  }

  const std::vector<Segment> segments = segments_of(plan);
  // A kernel that is launched for the first time may be loaded then, which a capture does not allow.
  const bool by_graph = state.is_warm && !work.options.profile;
  if (by_graph && (state.graphs.empty() || state.captured_with != workspace_.get())) {
    state.drop_graphs();
    for (const Segment& segment : segments) {
      state.graphs.push_back(device_->capture([&] { bound.launch(segment); }));
    }
    state.captured_with = workspace_.get();
  }
  for (size_t i = 0; i < segments.size(); i++) {
    throw_if_cancelled(work.cancel);
    if (by_graph) {
      device_->replay(*state.graphs[i]);
    } else if (work.options.profile) {
      for (size_t node = segments[i].first; node < segments[i].end; node++) {
        using Clock = std::chrono::steady_clock;
        const Clock::time_point start = Clock::now();
        bound.launch(plan.nodes[node]);
        device_->mark();
        device_->wait(0);
        work.seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
      }
    } else {
      bound.launch(segments[i]);
    }
    device_->mark();
    device_->wait(1);
  }
  throw_if_cancelled(work.cancel);
  for (size_t i = 0; i < plan.outputs.size(); i++) {
    if (plan.outputs[i].bytes > 0)
      device_->download(work.outputs[i], state.outputs[i].get(), plan.outputs[i].bytes);
  }
  state.is_warm = true;
}

}  // namespace tintype::cuda
