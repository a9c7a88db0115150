// Weights as the GPU's kernels want them: read, packed by the CPU, and sent.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "../weights.h"
#include "device.h"

namespace tintype::cuda {

class WeightLoader {
 public:
  WeightLoader(std::shared_ptr<Device> device, Weights* weights, DType element,
               const std::atomic<int>& cancel)
      : device_(std::move(device)), weights_(weights), element_(element), cancel_(cancel) {}

  // Sends what is not on the device yet.
  void load(const WeightUse& use);

 private:
  std::vector<float> read_vector(uint32_t tensor);

  const std::shared_ptr<Device> device_;
  Weights* weights_;
  const DType element_;
  const std::atomic<int>& cancel_;
  std::vector<char> stored_;  // the bytes of the file, reused
};

}  // namespace tintype::cuda
