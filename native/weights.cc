#include "weights.h"

#include <algorithm>
#include <limits>
#include <map>

#include "errors.h"

namespace tintype {

namespace {

uint64_t element_size(DType dtype) {
  return dtype == DType::f32 ? 4 : 2;
}

// The CPU keeps gated weights as all others.
bool is_matrix(Packing packing) {
  return packing == Packing::matrix || packing == Packing::gated;
}

uint64_t count_elements(const WeightRef& ref) {
  uint64_t count = 1;
  for (const uint64_t dim : ref.shape) {
    if (dim != 0 && count > std::numeric_limits<uint32_t>::max() * uint64_t{1024} / dim) {
      throw Error(code::invalid_weights, ref.path, ": a tensor at byte ", ref.offset,
                  " is impossibly large.");
    }
    count *= dim;
  }
  return count;
}

void read(const Tensor& tensor, char* data, const std::atomic<int>& cancel) {
  constexpr uint64_t piece = uint64_t{8} << 20;  // of a slow disk still a fraction of a second
  for (uint64_t done = 0; done < tensor.bytes(); done += piece) {
    if (cancel != 0) throw Error(code::aborted, "aborted while reading weights");
    tensor.file->read(data + done, std::min(piece, tensor.bytes() - done), tensor.offset + done);
  }
}

}  // namespace

uint64_t Tensor::bytes() const {
  return elements * element_size(dtype);
}

Weights::Weights(const std::vector<WeightRef>& refs) : loaded_(refs.size() * packings) {
  std::map<std::string, std::shared_ptr<const File>> files;
  for (const WeightRef& ref : refs) {
    std::shared_ptr<const File>& file = files[ref.path];
    if (!file) file = std::make_shared<const File>(ref.path);
    Tensor tensor{file, ref.offset, ref.dtype, ref.shape, count_elements(ref)};
    while (!tensor.shape.empty() && tensor.shape.back() == 1) tensor.shape.pop_back();
    if (ref.offset > file->size() || tensor.bytes() > file->size() - ref.offset) {
      throw Error(code::invalid_weights, ref.path, " has ", file->size(),
                  " bytes, but a tensor lies at bytes ", ref.offset, " to ", ref.offset + tensor.bytes(),
                  ". Was the download cut off?");
    }
    stored_ += tensor.bytes();
    tensors_.push_back(std::move(tensor));
  }
}

uint64_t Weights::bytes(const WeightUse& use, const CpuKernels& kernels) const {
  const Tensor& tensor = tensors_[use.tensor];
  if (is_matrix(use.packing)) return kernels.packed_bytes(use.shape, tensor.dtype);
  return use.packing == Packing::vector ? tensor.elements * sizeof(float) : tensor.bytes();
}

Weight Weights::find(const WeightUse& use) const {
  const DType dtype = use.packing == Packing::vector ? DType::f32 : tensors_[use.tensor].dtype;
  return {loaded_[place(use)].data(), dtype};
}

Weight Weights::load(const WeightUse& use, Loading& loading) {
  const Tensor& tensor = tensors_[use.tensor];
  const CpuKernels& kernels = loading.kernels;
  Block& staging = loading.staging;
  Block packed(bytes(use, kernels), "a packed weight");
  if (use.packing == Packing::raw) {
    read(tensor, packed.data(), loading.cancel);
  } else {
    if (staging.size() < tensor.bytes()) {
      staging = Block();
      staging = Block(tensor.bytes(), "reading a weight");
    }
    read(tensor, staging.data(), loading.cancel);
    if (is_matrix(use.packing)) {
      kernels.pack_matrix({use.shape, tensor.dtype, staging.data(), packed.data()}, loading.exec);
    } else {
      kernels.widen_vector(staging.data(), tensor.dtype, reinterpret_cast<float*>(packed.data()),
                           static_cast<int64_t>(tensor.elements));
    }
  }
  // A cancelled loop has left tasks out.
  if (loading.cancel != 0) throw Error(code::aborted, "aborted while packing weights");
  resident_.fetch_add(packed.size(), std::memory_order_relaxed);
  loaded_[place(use)] = std::move(packed);
  return find(use);
}

}  // namespace tintype
