#include "weight_loader.h"

#include "../errors.h"
#include "kernels.h"

namespace tintype {

DType kept_dtype(const Tensor& tensor, const WeightUse& use) {
  return use.packing == Packing::vector ? DType::f32 : tensor.dtype;
}

uint64_t kept_bytes(const Tensor& tensor, const WeightUse& use) {
  if (is_matrix(use.packing)) return process_kernels().packed_bytes(use.shape, tensor.dtype);
  return use.packing == Packing::vector ? tensor.elements * sizeof(float) : tensor.bytes();
}

Weight WeightLoader::load(const WeightUse& use) {
  if (const Resident* known = weights_->find(use)) return {known->data(), known->dtype};
  const Tensor& tensor = weights_->tensor(use.tensor);
  const CpuKernels& kernels = process_kernels();
  const auto packed = std::make_shared<Block>(kept_bytes(tensor, use), "a packed weight");
  if (use.packing == Packing::raw) {
    weights_->read(use.tensor, packed->data(), cancel_);
  } else {
    if (staging_.size() < tensor.bytes()) {
      staging_ = Block();
      staging_ = Block(tensor.bytes(), "reading a weight");
    }
    weights_->read(use.tensor, staging_.data(), cancel_);
    // The CPU keeps gated weights as all others, and norms apart.
    if (is_matrix(use.packing)) {
      kernels.pack_matrix({use.shape, tensor.dtype, staging_.data(), packed->data()}, exec_);
    } else {
      kernels.widen_vector(staging_.data(), tensor.dtype, reinterpret_cast<float*>(packed->data()),
                           static_cast<int64_t>(tensor.elements));
    }
  }
  // A cancelled loop has left tasks out.
  if (cancel_ != 0) throw Error(code::aborted, "aborted while packing weights");
  // Points to the data, owns the block.
  const std::shared_ptr<void> memory(packed, packed->data());
  const Resident& kept = weights_->keep(use, {memory, kept_dtype(tensor, use), packed->size()});
  return {kept.data(), kept.dtype};
}

}  // namespace tintype
