// The non-linearities by themselves, and the gated one of the transformer blocks.
#include "elementwise.h"
#include "math.h"

namespace tintype::TINTYPE_ISA {

void activation(const ActivationArgs& args, const Exec& exec) {
  const float* x = args.x;
  float* y = args.y;
  with_activation(args.activation, [&](auto kind) {
    parallel_vectors(exec, args.count, [=](int64_t i, auto lanes) {
      lanes.store(y + i, activate<decltype(kind)::value>(lanes.load(x + i)));
    });
  });
}

void geglu(const GegluArgs& args, const Exec& exec) {
  const int64_t n = args.n;
  parallel_rows(exec, args.m, n, [&](int64_t row) {
    const float* x = args.x + row * 2 * n;
    const float* gate = x + n;
    float* y = args.y + row * n;
    each_vector(0, n, [=](int64_t j, auto lanes) {
      lanes.store(y + j, lanes.load(x + j) * gelu(lanes.load(gate + j)));
    });
  });
}

ScratchSize activation_scratch(const ActivationArgs&) {
  return 0;
}
ScratchSize geglu_scratch(const GegluArgs&) {
  return 0;
}

}  // namespace tintype::TINTYPE_ISA
