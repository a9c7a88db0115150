#include "weight_loader.h"

#include "../../kernels/cuda/pack.h"
#include "../errors.h"

namespace tintype::cuda {

std::vector<float> WeightLoader::read_vector(uint32_t index) {
  const Tensor& tensor = weights_->tensor(index);
  stored_.resize(tensor.bytes());
  weights_->read(index, stored_.data(), cancel_);
  std::vector<float> values(tensor.elements);
  widen_vector(stored_.data(), tensor.dtype, values.data(), static_cast<int64_t>(tensor.elements));
  return values;
}

void WeightLoader::load(const WeightUse& use) {
  const bool is_vector = use.packing == Packing::vector;
  const DType kept = is_vector ? DType::f32 : element_;
  if (const Resident* known = weights_->find(use)) {
    if (known->dtype == kept) return;
    throw Error(code::internal, "weights are on the device in another precision");
  }
  const Tensor& tensor = weights_->tensor(use.tensor);
  const auto elements = static_cast<int64_t>(tensor.elements);
  // A table of embeddings is one long row.
  const MatrixShape shape = use.packing == Packing::raw ? MatrixShape{1, elements, 1} : use.shape;
  const bool has_norm = use.norm != NormTensors{};
  const bool is_quartered = use.packing == Packing::quartered;
  const size_t bytes = is_vector      ? tensor.elements * sizeof(float)
                       : has_norm     ? folded_bytes(shape)
                       : is_quartered ? quartered_bytes(shape)
                                      : packed_bytes(shape);
  const std::vector<float> scale = has_norm ? read_vector(use.norm.scale) : std::vector<float>();
  const std::vector<float> shift = has_norm ? read_vector(use.norm.shift) : std::vector<float>();
  stored_.resize(tensor.bytes());
  weights_->read(use.tensor, stored_.data(), cancel_);

  void* staged = device_->staging(bytes);
  const PackMatrix pack = {shape, tensor.dtype, stored_.data(), staged};
  const RowOrder order = use.packing == Packing::gated ? RowOrder::gated : RowOrder::plain;
  if (is_vector) {
    widen_vector(stored_.data(), tensor.dtype, static_cast<float*>(staged), elements);
  } else if (has_norm) {
    fold_matrix(pack, element_, order, {scale.data(), shift.data()});
  } else if (is_quartered) {
    quarter_matrix(pack, element_);
  } else {
    pack_matrix(pack, element_, order);
  }
  std::shared_ptr<void> memory(device_->allocate(bytes, "A weight"),
                               [device = device_](void* unused) { device->free(unused); });
  device_->upload(memory.get(), bytes);
  weights_->keep(use, {std::move(memory), kept, bytes});
}

}  // namespace tintype::cuda
