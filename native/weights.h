// The tensors of a model's files: where they lie, and in memory what the kernels have asked for so far.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../kernels/cpu/table.gen.h"
#include "file.h"
#include "memory.h"

namespace tintype {

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

// What loading a weight needs of the executor; staging is memory for the bytes of the file, reused.
struct Loading {
  const CpuKernels& kernels;
  const Exec& exec;
  const std::atomic<int>& cancel;
  Block staging;
};

// A tensor as one operand wants it.
struct WeightUse {
  uint32_t tensor;
  Packing packing;
  MatrixShape shape;  // of a matrix
};

class Weights {
 public:
  // Opens the files and checks the ranges, without reading a tensor.
  explicit Weights(const std::vector<WeightRef>& refs);

  size_t count() const { return tensors_.size(); }
  const Tensor& tensor(uint32_t index) const { return tensors_[index]; }

  // What the use takes in memory.
  uint64_t bytes(const WeightUse& use, const CpuKernels& kernels) const;

  // The rest is for the executor's thread alone.
  // The tensor in memory, or null data when it has not been asked for before.
  Weight find(const WeightUse& use) const;
  // Reads and packs it; all programs of these weights share it from then on.
  Weight load(const WeightUse& use, Loading& loading);

  uint64_t stored_bytes() const { return stored_; }
  uint64_t resident_bytes() const { return resident_.load(std::memory_order_relaxed); }

 private:
  static constexpr int packings = 4;
  static size_t place(const WeightUse& use) {
    return size_t{use.tensor} * packings + static_cast<size_t>(use.packing);
  }

  std::vector<Tensor> tensors_;
  std::vector<Block> loaded_;  // of each tensor one for each packing
  uint64_t stored_ = 0;
  std::atomic<uint64_t> resident_{0};
};

}  // namespace tintype
