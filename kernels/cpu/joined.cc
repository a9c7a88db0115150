// Layers that GPUs run in one launch: here they run one after the other.
#include "normed_rows.h"

namespace tintype::TINTYPE_ISA {

void linear(const LinearArgs&, const Exec&);
ScratchSize linear_scratch(const LinearArgs&);

void projections(const ProjectionsArgs& all, const Exec& exec) {
  with_normed_rows(all, exec, [](const ProjectionsArgs& a, const Exec& rest) {
    const Weight weights[] = {a.w0, a.w1, a.w2, a.w3, a.w4, a.w5};
    const float* const biases[] = {a.bias0, a.bias1, a.bias2, a.bias3, a.bias4, a.bias5};
    float* const results[] = {a.y0, a.y1, a.y2, a.y3, a.y4, a.y5};
    for (int i = 0; i < 6; i++) {
      if (!weights[i].data || !results[i]) continue;
      linear({a.m, a.n, a.k, a.x, weights[i], biases[i], nullptr, results[i], a.activation,
              ProductAlgorithm::direct},
             rest);
    }
  });
}

ScratchSize projections_scratch(const ProjectionsArgs& a) {
  ScratchSize size = linear_scratch(
      {a.m, a.n, a.k, a.x, a.w0, a.bias0, nullptr, a.y0, Activation::none, ProductAlgorithm::direct});
  size.shared += normed_bytes(a);
  return size;
}

}  // namespace tintype::TINTYPE_ISA
