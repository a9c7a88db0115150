// The product of gemm.h with an eighth fewer products, for matrices that are large in every direction. It
// rounds differently: what is small beside its neighbours is as exact as they are.
#pragma once
#include "gemm.h"

namespace tintype::TINTYPE_ISA {

// Columns and depths that it takes are multiples of these.
constexpr int64_t kStrassenColumns = 64;
constexpr int64_t kStrassenDepth = 8;

// Whether a product goes by it where the graph says so: pairs of bf16 are too coarse to be added before they
// are multiplied, and which weights have them is known here alone.
template <class Algorithm>
bool takes_strassen(Algorithm algorithm, const Weight& w) {
  return algorithm == Algorithm::strassen && w.dtype != DType::bf16_pairs;
}

void strassen(const GemmArgs&, const Exec&);
ScratchSize strassen_scratch(const GemmShape&, bool gated = false);

}  // namespace tintype::TINTYPE_ISA
