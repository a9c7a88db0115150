// The tensors of a model's files: where they lie, and in memory what the kernels have asked for so far.
#pragma once
#include <atomic>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../kernels/pack.h"
#include "file.h"

namespace tintype {

// How the CPU keeps matrices: as they are stored, or rounded when they are read.
enum class Matrices { stored, int8, bf16 };

struct WeightRef {
  std::string path;
  uint64_t offset;
  DType dtype;
  std::vector<uint64_t> shape;
};

struct Tensor {
  std::shared_ptr<const File> file;
  uint64_t offset;
  DType dtype;
  std::vector<uint64_t> shape;  // without the ones at its end: (o, c, 1, 1) is (o, c)
  uint64_t elements;
  uint64_t bytes() const;
};

// The norm in front of a matrix, if there is one: what it multiplies and adds by channel.
struct NormTensors {
  static constexpr uint32_t none = 0xffffffff;
  uint32_t scale = none, shift = none;
  auto operator<=>(const NormTensors&) const = default;
};

inline bool is_matrix(Packing packing) {
  return packing == Packing::matrix || packing == Packing::gated || packing == Packing::quartered;
}

// A tensor as one operand wants it.
struct WeightUse {
  uint32_t tensor;
  Packing packing;
  MatrixShape shape;  // of a matrix
  NormTensors norm;   // of a matrix, for devices that fold it in
  // The shape follows from the tensor's.
  bool operator==(const WeightUse& other) const {
    return tensor == other.tensor && packing == other.packing && norm == other.norm;
  }
};

// A weight in the memory of a backend.
struct Resident {
  std::shared_ptr<void> memory;
  DType dtype;
  uint64_t bytes;
  const void* data() const { return memory.get(); }
};

class Weights : public std::enable_shared_from_this<Weights> {
 public:
  // Opens the files and checks the ranges, without reading a tensor.
  Weights(const std::vector<WeightRef>& refs, Matrices matrices);

  Matrices matrices() const { return matrices_; }
  size_t count() const { return tensors_.size(); }
  const Tensor& tensor(uint32_t index) const { return tensors_[index]; }
  uint64_t stored_bytes() const { return stored_; }
  uint64_t resident_bytes() const { return resident_.load(std::memory_order_relaxed); }

  // The rest is for the executor's thread alone.
  // Reads the bytes of a tensor from its file.
  void read(uint32_t tensor, char* data, const std::atomic<int>& cancel) const;
  // What a backend has kept for the use, or null. All programs of these weights share it.
  const Resident* find(const WeightUse& use) const;
  const Resident& keep(const WeightUse& use, Resident resident);
  // Gives back what is kept for other uses; it is read again when it is asked for.
  void drop_all_but(const std::vector<WeightUse>& uses);

 private:
  struct Kept {
    WeightUse use;
    Resident resident;
  };

  const Matrices matrices_;
  std::vector<Tensor> tensors_;
  std::vector<std::vector<Kept>> kept_;  // of each tensor one for each of its uses, which are few
  uint64_t stored_ = 0;
  std::atomic<uint64_t> resident_{0};
};

}  // namespace tintype
