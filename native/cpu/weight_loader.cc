#include "weight_loader.h"

#include "../backend.h"
#include "../errors.h"
#include "kernels.h"

namespace tintype {

DType kept_dtype(const Weights& weights, const WeightUse& use) {
  if (use.packing == Packing::vector) return DType::f32;
  if (is_matrix(use.packing) && weights.matrices() == Matrices::int8) return DType::i8;
  // Most convolutions go by Winograd's algorithm, for which bf16 is too coarse; of the others little would be
  // gained.
  const bool pairs = is_matrix(use.packing) && use.shape.taps == 1 && use.shape.k % 2 == 0;
  if (pairs && weights.matrices() == Matrices::bf16) return DType::bf16_pairs;
  return weights.tensor(use.tensor).dtype;
}

uint64_t kept_bytes(const Weights& weights, const WeightUse& use) {
  const Tensor& tensor = weights.tensor(use.tensor);
  if (is_matrix(use.packing)) return process_kernels().packed_bytes(use.shape, kept_dtype(weights, use));
  return use.packing == Packing::vector ? tensor.elements * sizeof(float) : tensor.bytes();
}

Weight WeightLoader::load(const WeightUse& use) {
  if (const Resident* known = weights_->find(use)) return {known->data(), known->dtype};
  const Tensor& tensor = weights_->tensor(use.tensor);
  const auto packed = std::make_shared<Block>(kept_bytes(*weights_, use), "a packed weight");
  if (use.packing == Packing::raw) {
    weights_->read(use.tensor, packed->data(), cancel_);
  } else {
    if (staging_.size() < tensor.bytes()) {
      staging_ = Block();
      staging_ = Block(tensor.bytes(), "reading a weight");
    }
    weights_->read(use.tensor, staging_.data(), cancel_);
    pack(use, packed->data());
  }
  // A cancelled loop has left tasks out.
  throw_if_cancelled(cancel_);
  // Points to the data, owns the block.
  const std::shared_ptr<void> memory(packed, packed->data());
  const Resident& kept = weights_->keep(use, {memory, kept_dtype(*weights_, use), packed->size()});
  return {kept.data(), kept.dtype};
}

// The CPU keeps gated weights as all others, and norms apart.
void WeightLoader::pack(const WeightUse& use, char* packed) {
  const Tensor& tensor = weights_->tensor(use.tensor);
  const CpuKernels& kernels = process_kernels();
  if (!is_matrix(use.packing)) {
    return kernels.widen_vector(staging_.data(), tensor.dtype, reinterpret_cast<float*>(packed),
                                static_cast<int64_t>(tensor.elements));
  }
  const DType kept = kept_dtype(*weights_, use);
  const PackMatrix matrix{use.shape, tensor.dtype, staging_.data(), packed};
  if (kept == DType::bf16_pairs) return kernels.pack_pairs(matrix, exec_);
  if (kept != DType::i8) return kernels.pack_matrix(matrix, exec_);
  const bool fits = kernels.quantize_matrix({use.shape, tensor.dtype, staging_.data(), packed}, exec_);
  if (!fits && cancel_ == 0) {
    throw Error(code::invalid_weights, tensor.file->path(), ": the tensor at byte ", tensor.offset,
                " has values that are not finite, which int8 cannot hold. Load the model without "
                "precision \"int8\".");
  }
}

}  // namespace tintype
