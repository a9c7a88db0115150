#include "op.h"

#include <cstring>

#include "../../kernels/cuda/pack.h"
#include "../../kernels/cuda/table.h"
#include "../../native/decode.gen.h"

namespace tintype::ptx {

namespace {

constexpr uint32_t absent = 0xffffffff;

// Where decoded arguments point: allocations of the device.
struct DeviceOperands {
  const std::vector<void*>& allocations;
  const std::vector<HostOperand>& host;
  void* pointer(uint32_t word) const { return word == absent ? nullptr : allocations[word]; }
  Weight weight(uint32_t word) const {
    if (word == absent) return {nullptr, DType::f32};
    return {allocations[word], host[word].dtype};
  }
};

// Matrix weights are packed on the way to the device, norms in front of them folded in.
void pack_weight(Weight& weight, const MatrixShape& shape, InterpretedGpu& gpu, DType element,
                 cuda::RowOrder order = cuda::RowOrder::plain, const cuda::NormVectors& norm = {}) {
  const size_t bytes = norm.scale ? cuda::folded_bytes(shape) : cuda::packed_bytes(shape);
  void* packed = gpu.memory().allocate(bytes, "packed weight");
  const PackMatrix pack = {shape, weight.dtype, weight.data, packed};
  if (norm.scale) {
    cuda::fold_matrix(pack, element, order, norm);
  } else {
    cuda::pack_matrix(pack, element, order);
  }
  weight.data = packed;
}

template <class Args>
void prepare(Args& args, InterpretedGpu& gpu, DType element) {
  if constexpr (std::is_same_v<Args, LinearArgs>) {
    pack_weight(args.w, {args.n, args.k, 1}, gpu, element);
  }
  if constexpr (std::is_same_v<Args, ProjectionsArgs>) {
    for (Weight* w : {&args.w0, &args.w1, &args.w2, &args.w3, &args.w4, &args.w5}) {
      if (!w->data) continue;
      pack_weight(*w, {args.n, args.k, 1}, gpu, element, cuda::RowOrder::plain, {args.gamma, args.beta});
    }
  }
  if constexpr (std::is_same_v<Args, LinearGegluArgs>) {
    pack_weight(args.w, {args.n2, args.k, 1}, gpu, element, cuda::RowOrder::gated, {args.gamma, args.beta});
  }
  if constexpr (std::is_same_v<Args, UpsampleConv2dArgs>) {
    const MatrixShape shape = {args.o, args.c * args.kh * args.kw, args.kh * args.kw};
    void* packed = gpu.memory().allocate(cuda::quartered_bytes(shape), "packed weight");
    cuda::quarter_matrix({shape, args.weight.dtype, args.weight.data, packed}, element);
    args.weight.data = packed;
  }
  if constexpr (std::is_same_v<Args, Conv2dArgs>) {
    pack_weight(args.weight, {args.o, args.c * args.kh * args.kw, args.kh * args.kw}, gpu, element);
  }
}

}  // namespace

void run_op(InterpretedGpu& gpu, const std::vector<uint32_t>& words, std::vector<HostOperand>& operands,
            DType element) {
  const OpInfo& info = op_infos[words.at(0)];
  std::vector<void*> allocations(operands.size());
  for (int i = 0; i < info.operand_count; i++) {
    const uint32_t place = words.at(static_cast<size_t>(1 + info.dims + i));
    if (place == absent || allocations.at(place)) continue;
    const HostOperand& operand = operands.at(place);
    allocations[place] = gpu.memory().allocate(operand.size, info.operands[i].name);
    std::memcpy(allocations[place], operand.bytes, operand.size);
  }
  const DeviceOperands device = {allocations, operands};
  const cuda::Kernels kernels;
  visit_op(static_cast<Opcode>(words[0]), words.data() + 1, kernels, device,
           [&](const auto& kernel, auto& args) {
             prepare(args, gpu, element);
             gpu.reserve(kernel.workspace(args, gpu.gpu()));
             kernel.run(args, gpu);
           });
  for (size_t i = 0; i < operands.size(); i++)
    std::memcpy(operands[i].bytes, allocations[i], operands[i].size);
}

}  // namespace tintype::ptx
