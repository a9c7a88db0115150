#include "weight_loader.h"

#include "../../kernels/cuda/pack.h"
#include "../errors.h"

namespace tintype::cuda {

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
  const size_t bytes = is_vector ? tensor.elements * sizeof(float) : packed_bytes(shape);
  stored_.resize(tensor.bytes());
  weights_->read(use.tensor, stored_.data(), cancel_);

  void* staged = device_->staging(bytes);
  if (is_vector) {
    widen_vector(stored_.data(), tensor.dtype, static_cast<float*>(staged), elements);
  } else if (use.packing == Packing::gated) {
    pack_gated_matrix({shape, tensor.dtype, stored_.data(), staged}, element_);
  } else {
    pack_matrix({shape, tensor.dtype, stored_.data(), staged}, element_);
  }
  std::shared_ptr<void> memory(device_->allocate(bytes, "A weight"),
                               [device = device_](void* unused) { device->free(unused); });
  device_->upload(memory.get(), bytes);
  weights_->keep(use, {std::move(memory), kept, bytes});
}

}  // namespace tintype::cuda
