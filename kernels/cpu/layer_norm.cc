// Layer normalisation of each row: the row stays in L1, so memory is read and written once.
#include "elementwise.h"
#include "math.h"

namespace tintype::TINTYPE_ISA {
namespace {

// Lanes past the end are loaded as 0: without a shift they add nothing to a sum.
float sum_of(const float* x, int64_t c) {
  Vec sum = broadcast(0.0f);
  each_vector(0, c, [&](int64_t i, auto lanes) { sum = sum + lanes.load(x + i); });
  return reduce_add(sum);
}

struct Moments {
  float mean, correction, inverse;
};

// The mean as a float may be off by half an ulp of a large number: `correction` is what the deviations from
// it still average to, and is taken out of variance and result (two-pass algorithm of Chan, Golub and
// LeVeque, 1983).
Moments moments_of(const float* x, int64_t c, float eps) {
  const float count = static_cast<float>(c);
  const float mean = sum_of(x, c) / count;
  Vec sum = broadcast(0.0f);
  Vec squares = broadcast(0.0f);
  const auto add = [&](Vec deviation) {
    sum = sum + deviation;
    squares = fma(deviation, deviation, squares);
  };
  int64_t i = 0;
  for (; i + kWidth <= c; i += kWidth) add(load(x + i) - broadcast(mean));
  float rest[kWidth] = {};
  for (int lane = 0; i + lane < c; lane++) rest[lane] = x[i + lane] - mean;
  add(load(rest));
  const float correction = reduce_add(sum) / count;
  const float variance = reduce_add(squares) / count - correction * correction;
  return {mean, correction, 1.0f / square_root(variance + eps)};
}

}  // namespace

void layer_norm(const LayerNormArgs& args, const Exec& exec) {
  const int64_t c = args.c;
  parallel_rows(exec, args.m, c, [&](int64_t row) {
    const float* x = args.x + row * c;
    float* y = args.y + row * c;
    const Moments moments = moments_of(x, c, args.eps);
    const Vec mean = broadcast(moments.mean);
    const Vec correction = broadcast(moments.correction);
    const Vec inverse = broadcast(moments.inverse);
    each_vector(0, c, [&](int64_t i, auto lanes) {
      const Vec unit = ((lanes.load(x + i) - mean) - correction) * inverse;
      lanes.store(y + i, fma(unit, lanes.load(args.gamma + i), lanes.load(args.beta + i)));
    });
  });
}

ScratchSize layer_norm_scratch(const LayerNormArgs&) {
  return 0;
}

}  // namespace tintype::TINTYPE_ISA
