// Weights as the CPU's kernels want them: where they take memory, and how they get there.
#pragma once
#include "../../kernels/cpu/table.gen.h"
#include "../memory.h"
#include "../weights.h"

namespace tintype {

// The type and the size of a weight in memory.
DType kept_dtype(const Weights& weights, const WeightUse& use);
uint64_t kept_bytes(const Weights& weights, const WeightUse& use);

class WeightLoader {
 public:
  WeightLoader(Weights* weights, const Exec& exec, const std::atomic<int>& cancel)
      : weights_(weights), exec_(exec), cancel_(cancel) {}

  // Reads and packs what is not in memory yet.
  Weight load(const WeightUse& use);

 private:
  // From the bytes of the file into `packed`, as the use wants it.
  void pack(const WeightUse& use, char* packed);

  Weights* weights_;
  const Exec& exec_;
  const std::atomic<int>& cancel_;
  Block staging_;  // for the bytes of the file, reused
};

}  // namespace tintype
