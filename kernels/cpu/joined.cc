// Layers that GPUs run in one launch: here they run one after the other.
#include "../args.gen.h"
#include "../exec.h"

namespace tintype::TINTYPE_ISA {

void linear(const LinearArgs&, const Exec&);
ScratchSize linear_scratch(const LinearArgs&);
void layer_norm(const LayerNormArgs&, const Exec&);

namespace {

LinearArgs layer_of(const LinearNormArgs& a) {
  return {a.m, a.n, a.k, a.x, a.w, a.bias, a.residual, a.y, Activation::none};
}

}  // namespace

void linear_norm(const LinearNormArgs& a, const Exec& exec) {
  linear(layer_of(a), exec);
  layer_norm({a.m, a.n, a.y, a.gamma, a.beta, a.normed, a.eps}, exec);
}

ScratchSize linear_norm_scratch(const LinearNormArgs& a) {
  return linear_scratch(layer_of(a));
}

void projections(const ProjectionsArgs& a, const Exec& exec) {
  const Weight weights[] = {a.w0, a.w1, a.w2, a.w3, a.w4, a.w5};
  const float* const biases[] = {a.bias0, a.bias1, a.bias2, a.bias3, a.bias4, a.bias5};
  float* const results[] = {a.y0, a.y1, a.y2, a.y3, a.y4, a.y5};
  for (int i = 0; i < 6; i++) {
    if (!weights[i].data || !results[i]) continue;
    linear({a.m, a.n, a.k, a.x, weights[i], biases[i], nullptr, results[i], Activation::none}, exec);
  }
}

ScratchSize projections_scratch(const ProjectionsArgs& a) {
  return linear_scratch({a.m, a.n, a.k, a.x, a.w0, a.bias0, nullptr, a.y0, Activation::none});
}

}  // namespace tintype::TINTYPE_ISA
