#include "plan.h"

#include <bit>
#include <map>
#include <string>
#include <tuple>

#include "../kernels/cpu/table.gen.h"
#include "errors.h"
#include "memory.h"

namespace tintype {

namespace {

static_assert(std::endian::native == std::endian::little, "plans and weights are little-endian");

constexpr uint32_t magic = 0x4c505454;  // "TTPL"
constexpr uint32_t version = 1;
constexpr size_t header_words = 8;
constexpr size_t value_words = 6;
constexpr uint64_t largest_arena = uint64_t{1} << 48;

struct Value {
  Space space;
  DType dtype;
  uint64_t place;
  uint64_t bytes;
};

template <class... Parts>
[[noreturn]] void refuse(const Parts&... message) {
  throw Error(code::internal, "invalid plan: ", message...);
}

uint64_t element_size(DType dtype) {
  constexpr uint64_t sizes[] = {4, 2, 2, 4, 1};
  return sizes[static_cast<uint32_t>(dtype)];
}

// Relations between dimensions and parameters that kernels index by. Those that only the meaning of an op
// depends on are checked where graphs are built.
template <class Args>
bool consistent(const Args&) {
  return true;
}
// What kernels/cpu/strassen.h takes.
bool strassen_fits(int64_t n, int64_t k) {
  return n % 64 == 0 && k % 8 == 0;
}
template <class Args>
bool product_fits(const Args& a, int64_t n) {
  return a.algorithm == ProductAlgorithm::direct || strassen_fits(n, a.k);
}
bool consistent(const LinearArgs& a) {
  return product_fits(a, a.n);
}
bool consistent(const Conv2dArgs& a) {
  const auto extent = [&](int64_t size, int64_t before, int64_t after, int64_t kernel) {
    const int64_t room = size * a.upsample + before + after - kernel;
    return room < 0 ? 0 : room / a.stride + 1;
  };
  const bool small = a.kh == 3 && a.kw == 3;
  const bool plain = a.mean == nullptr && a.factor == nullptr && a.shift == nullptr;
  const bool normalized = a.mean != nullptr && a.factor != nullptr && a.shift != nullptr;
  const auto possible = [&] {
    switch (a.algorithm) {
      case ConvAlgorithm::winograd4:
        return small && a.stride <= 2 && (plain || normalized);
      case ConvAlgorithm::winograd6:
        return small && a.stride == 1 && (plain || normalized);
      case ConvAlgorithm::strassen:
        return plain && strassen_fits(a.o, a.kh * a.kw * a.c);
      case ConvAlgorithm::contraction:
        return plain && a.kh == 1 && a.kw == 1 && a.stride == 1 && a.upsample == 1 && a.ho == a.h &&
               a.wo == a.w && a.o <= a.c / 2 && a.rows == 1;
      default:
        return plain;
    }
  };
  const bool measured = a.channel_mean != nullptr || a.channel_variance != nullptr;
  const bool whole = a.channel_mean != nullptr && a.channel_variance != nullptr;
  const bool winograd = a.algorithm == ConvAlgorithm::winograd4 || a.algorithm == ConvAlgorithm::winograd6;
  if (measured && !(whole && winograd)) return false;
  return a.upsample <= 2 && possible() && (a.rows == 1 || a.rows == a.n || a.row_bias == nullptr) &&
         a.ho == extent(a.h, a.pad_top, a.pad_bottom, a.kh) &&
         a.wo == extent(a.w, a.pad_left, a.pad_right, a.kw);
}
bool consistent(const UpsampleConv2dArgs& a) {
  return a.ho == 2 * a.h && a.wo == 2 * a.w && a.kh == 3 && a.kw == 3 && a.c % 8 == 0;
}
bool consistent(const AttentionArgs& a) {
  return a.c % a.heads == 0;
}
bool consistent(const MatchTokensArgs& a) {
  const int64_t windows = (a.h + 1) / 2 * ((a.w + 1) / 2);
  return a.windows == windows && windows < (1 << 24) && a.kept >= windows && a.kept <= a.h * a.w;
}
bool consistent(const GroupNormArgs& a) {
  return a.c % a.groups == 0;
}
bool consistent(const GroupFactorsArgs& a) {
  const bool none = a.channel_mean == nullptr && a.channel_variance == nullptr;
  const bool both = a.channel_mean != nullptr && a.channel_variance != nullptr;
  return a.c % a.groups == 0 && (a.x == nullptr ? both : none);
}
// A norm has both of its vectors, or there is none.
template <class Args>
bool norm_is_whole(const Args& a) {
  return (a.gamma == nullptr) == (a.beta == nullptr);
}
bool consistent(const LinearGegluArgs& a) {
  return a.n2 == 2 * a.n && a.n % 32 == 0 && norm_is_whole(a) && product_fits(a, a.n2);
}
bool consistent(const ProjectionsArgs& a) {
  return norm_is_whole(a);
}
bool consistent(const GegluArgs& a) {
  return a.n2 == 2 * a.n;
}
bool consistent(const TimestepEmbeddingArgs& a) {
  return static_cast<float>(a.dim / 2) > a.shift;
}
bool consistent(const AddRowBiasArgs& a) {
  return a.rows == 1 || a.rows == a.n;
}
bool consistent(const ConcatArgs& a) {
  return a.c == a.ca + a.cb;
}
// GPUs change over from the first value to the second behind whole steps along the depth:
// lib/graph/ops/concatenated.ts.
constexpr int64_t concat_depth = 64;
bool consistent(const ConcatGroupNormArgs& a) {
  return a.c == a.ca + a.cb && a.ca % concat_depth == 0 && a.c % a.groups == 0;
}
bool consistent(const ConcatLinearArgs& a) {
  return a.k == a.ca + a.cb && a.ca % concat_depth == 0 && a.cb % 8 == 0;
}
bool consistent(const UpsampleArgs& a) {
  return (a.ho + 1) / 2 == a.h && (a.wo + 1) / 2 == a.w;
}
bool consistent(const SampleGaussianArgs& a) {
  return a.c2 == 2 * a.c;
}
bool consistent(const PredictCleanArgs& a) {
  return a.copies <= 2 && a.width >= step_coefficients;
}
bool consistent(const DynamicThresholdArgs& a) {
  return a.percentile > 0 && a.percentile <= 1;
}
bool consistent(const SchedulerStepArgs& a) {
  return a.copies <= 2 && a.width >= step_coefficients + (a.history == nullptr ? 0 : a.depth);
}

// What devices have to know of a plan before they run it.
template <class Args>
void note(const Args&, Plan&) {}
void note(const Conv2dArgs& a, Plan& plan) {
  plan.contracts |= a.algorithm == ConvAlgorithm::contraction;
  plan.measures_channels |= a.channel_mean != nullptr;
}
void note(const GroupFactorsArgs& a, Plan& plan) {
  plan.measures_channels |= a.channel_mean != nullptr;
}
void note(const AttentionArgs& a, Plan& plan) {
  plan.multiplies_bf16 |= a.arithmetic == Arithmetic::bf16;
}

// Stands in for the memory of a running program: present operands are not null.
struct Presence {
  void* pointer(uint32_t operand) const {
    static char present;
    return operand == absent ? nullptr : &present;
  }
  Weight weight(uint32_t operand) const { return {pointer(operand), DType::f32}; }
};

class Parser {
 public:
  Parser(std::vector<uint32_t> words, const Weights* weights) : words_(std::move(words)), weights_(weights) {}

  Plan parse() {
    if (words_.size() < header_words || words_[0] != magic) refuse("it does not begin with a header");
    if (words_[1] != version) refuse("version ", words_[1], ", this addon reads version ", version);
    plan_.arena_bytes = wide(2);
    if (plan_.arena_bytes > largest_arena) refuse("an arena of ", plan_.arena_bytes, " bytes");
    const uint32_t value_count = words_[4], node_count = words_[5];
    // Slots and values cost memory before they are looked at: no plan needs more of them than it has words.
    if (words_[6] > words_.size() || words_[7] > words_.size()) refuse("too many slots");
    plan_.inputs.resize(words_[6]);
    plan_.outputs.resize(words_[7]);
    if (value_count > (words_.size() - header_words) / value_words) refuse("it ends within its values");
    next_ = header_words;
    for (uint32_t i = 0; i < value_count; i++) parse_value(i);
    for (node_ = 0; node_ < node_count; node_++) parse_node();
    if (next_ != words_.size()) refuse(words_.size() - next_, " words are left over");
    return std::move(plan_);
  }

 private:
  uint64_t wide(size_t word) const { return words_[word] | static_cast<uint64_t>(words_[word + 1]) << 32; }

  void parse_value(uint32_t index) {
    if (words_[next_] > static_cast<uint32_t>(Space::weight)) refuse("value ", index, " lies in no space");
    Value value{static_cast<Space>(words_[next_]), DType::f32, wide(next_ + 2), wide(next_ + 4)};
    if (value.space == Space::weight) {
      const size_t count = weights_ == nullptr ? 0 : weights_->count();
      if (value.place >= count) refuse("value ", index, " is weight ", value.place, " of ", count);
    } else {
      if (words_[next_ + 1] > static_cast<uint32_t>(DType::u8)) refuse("value ", index, " has no dtype");
      value.dtype = static_cast<DType>(words_[next_ + 1]);
      place_value(index, value);
    }
    values_.push_back(value);
    binding_of_.push_back(absent);
    next_ += value_words;
  }

  void place_value(uint32_t index, const Value& value) {
    if (value.space == Space::arena) {
      if (value.place % alignment != 0) refuse("value ", index, " is not aligned");
      if (value.place > plan_.arena_bytes || value.bytes > plan_.arena_bytes - value.place) {
        refuse("value ", index, " leaves the arena");
      }
      return;
    }
    std::vector<Slot>& slots = value.space == Space::input ? plan_.inputs : plan_.outputs;
    if (value.place >= slots.size()) refuse("value ", index, " is slot ", value.place, " of ", slots.size());
    Slot& slot = slots[value.place];
    if (slot.bytes != 0) refuse("value ", index, " names slot ", value.place, " a second time");
    slot = {value.dtype, value.bytes};
  }

  void parse_node() {
    if (next_ == words_.size()) refuse("it ends before node ", node_);
    const uint32_t opcode = words_[next_++];
    if (opcode >= op_count) refuse("node ", node_, " has the unknown opcode ", opcode);
    info_ = &op_infos[opcode];
    const auto words = static_cast<size_t>(info_->words());
    if (words_.size() - next_ < words) refuse("it ends within node ", node_, " (", info_->name, ")");
    Node node{static_cast<Opcode>(opcode), {&words_[next_], &words_[next_] + words}};
    norm_ = {};
    uint32_t* operand = node.words.data() + info_->dims;
    for (int i = 0; i < info_->operand_count; i++) operand[i] = bind(info_->operands[i], node, operand[i]);
    const uint32_t* param = operand + info_->operand_count;
    for (int i = 0; i < info_->param_count; i++) check_param(info_->params[i], param[i]);
    const auto check = [this](const auto&, const auto& args) {
      note(args, plan_);
      return consistent(args);
    };
    if (!visit_op(node.opcode, node.words.data(), CpuKernels{}, Presence(), check)) {
      refuse("node ", node_, " (", info_->name, ") has dimensions that do not fit together");
    }
    plan_.nodes.push_back(std::move(node));
    next_ += words;
  }

  void check_param(const ParamInfo& info, uint32_t word) {
    const auto value = static_cast<int32_t>(word);
    if (info.type == ParamType::int_ && (value < info.min || value > info.max)) {
      refuse("node ", node_, " (", info_->name, "), ", info.name, ": ", value, " is not in ", info.min,
             " to ", info.max);
    }
  }

  template <class... Parts>
  [[noreturn]] void refuse_operand(const OperandInfo& info, const Parts&... message) {
    refuse("node ", node_, " (", info_->name, "), ", info.name, ": ", message...);
  }

  // Checks an operand against its value and gives the binding that the running program finds it by.
  uint32_t bind(const OperandInfo& info, const Node& node, uint32_t index) {
    if (index == absent) {
      if (!info.optional) refuse_operand(info, "is missing");
      return absent;
    }
    if (index >= values_.size()) refuse_operand(info, "is value ", index, " of ", values_.size());
    const Value& value = values_[index];
    if ((info.role == Role::weight) != (value.space == Space::weight)) {
      refuse_operand(info, "a weight where none belongs, or none where one does");
    }
    if (info.role == Role::output && value.space == Space::input)
      refuse_operand(info, "is written to an input");
    std::vector<uint64_t> dims;
    uint64_t elements = 1;
    for (int i = 0; i < info.rank; i++) {
      dims.push_back(node.words[static_cast<size_t>(info.dims[i])]);
      if (dims.back() == 0) refuse_operand(info, "is empty");
      if (dims.back() > (UINT64_MAX >> 4) / elements) refuse_operand(info, "is too large");
      elements *= dims.back();
    }
    if (info.role == Role::weight) return bind_weight(info, dims, static_cast<uint32_t>(value.place));
    check_dtype(info, value.dtype);
    if (elements * element_size(value.dtype) > value.bytes) {
      refuse_operand(info, elements, " elements do not fit in ", value.bytes, " bytes");
    }
    if (binding_of_[index] == absent) binding_of_[index] = add({value.space, value.place, value.bytes, {}});
    return binding_of_[index];
  }

  void check_dtype(const OperandInfo& info, DType dtype) {
    if (info.dtype != DType::f32 || info.keeps_float) {
      if (dtype != info.dtype) refuse_operand(info, "has the wrong dtype");
    } else if (dtype == DType::f32) {
      plan_.activations.f32 = true;
    } else if (dtype == DType::f16) {
      plan_.activations.f16 = true;
    } else if (dtype == DType::bf16) {
      plan_.activations.bf16 = true;
    } else {
      refuse_operand(info, "has the wrong dtype");
    }
  }

  uint32_t bind_weight(const OperandInfo& info, std::vector<uint64_t> dims, uint32_t index) {
    const Tensor& tensor = weights_->tensor(index);
    MatrixShape shape{static_cast<int64_t>(dims[0]), 1, 1};
    for (size_t i = 1; i < dims.size(); i++) {
      shape.k *= static_cast<int64_t>(dims[i]);
      if (i >= 2) shape.taps *= static_cast<int64_t>(dims[i]);
    }
    while (!dims.empty() && dims.back() == 1) dims.pop_back();
    if (dims != tensor.shape) {
      refuse_operand(info, "weight ", index, " has the shape ", list(tensor.shape), ", expected ",
                     list(dims));
    }
    WeightUse use{index, info.packing, shape, {}};
    if (info.packing == Packing::folded) {
      // Of the two the first is the scale, and matrices come later (lib/graph/ops).
      (norm_.scale == NormTensors::none ? norm_.scale : norm_.shift) = index;
      use.packing = Packing::vector;
    } else if (is_matrix(info.packing)) {
      use.norm = norm_;
    }
    const auto [place, is_new] = weight_bindings_.try_emplace({index, use.packing, use.norm}, 0);
    if (is_new) place->second = add({Space::weight, 0, 0, use});
    return place->second;
  }

  static std::string list(const std::vector<uint64_t>& shape) {
    std::string result;
    for (const uint64_t dim : shape) result += (result.empty() ? "(" : ", ") + std::to_string(dim);
    return result.empty() ? "(1)" : result + ")";
  }

  uint32_t add(const Binding& binding) {
    plan_.bindings.push_back(binding);
    return static_cast<uint32_t>(plan_.bindings.size() - 1);
  }

  const std::vector<uint32_t> words_;
  const Weights* weights_;
  Plan plan_{};
  std::vector<Value> values_;
  std::vector<uint32_t> binding_of_;  // of each value that is no weight
  std::map<std::tuple<uint32_t, Packing, NormTensors>, uint32_t> weight_bindings_;
  size_t next_ = 0;
  uint32_t node_ = 0;
  const OpInfo* info_ = nullptr;
  NormTensors norm_;  // of the node
};

}  // namespace

Plan parse_plan(std::vector<uint32_t> words, const Weights* weights) {
  return Parser(std::move(words), weights).parse();
}

}  // namespace tintype
