#include "weights.h"

#include <algorithm>
#include <limits>
#include <map>

#include "backend.h"
#include "errors.h"

namespace tintype {

namespace {

uint64_t element_size(DType dtype) {
  return dtype == DType::f32 ? 4 : 2;
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

}  // namespace

uint64_t Tensor::bytes() const {
  return elements * element_size(dtype);
}

Weights::Weights(const std::vector<WeightRef>& refs, Matrices matrices)
    : matrices_(matrices), kept_(refs.size()) {
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

void Weights::read(uint32_t index, char* data, const std::atomic<int>& cancel) const {
  constexpr uint64_t piece = uint64_t{8} << 20;  // of a slow disk still a fraction of a second
  const Tensor& tensor = tensors_[index];
  for (uint64_t done = 0; done < tensor.bytes(); done += piece) {
    throw_if_cancelled(cancel);
    tensor.file->read(data + done, std::min(piece, tensor.bytes() - done), tensor.offset + done);
  }
}

const Resident* Weights::find(const WeightUse& use) const {
  for (const Kept& kept : kept_[use.tensor]) {
    if (kept.use == use) return &kept.resident;
  }
  return nullptr;
}

const Resident& Weights::keep(const WeightUse& use, Resident resident) {
  resident_.fetch_add(resident.bytes, std::memory_order_relaxed);
  return kept_[use.tensor].emplace_back(Kept{use, std::move(resident)}).resident;
}

void Weights::drop_all_but(const std::vector<WeightUse>& uses) {
  std::vector<std::vector<WeightUse>> used(kept_.size());
  for (const WeightUse& use : uses) used[use.tensor].push_back(use);
  for (size_t i = 0; i < kept_.size(); i++) {
    std::erase_if(kept_[i], [&](const Kept& kept) {
      if (std::find(used[i].begin(), used[i].end(), kept.use) != used[i].end()) return false;
      resident_.fetch_sub(kept.resident.bytes, std::memory_order_relaxed);
      return true;
    });
  }
}

}  // namespace tintype
