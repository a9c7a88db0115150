// The second half of a group normalisation: y = f((x - mean) * factor + shift), with one of each for a
// channel.
#pragma once
#include "elementwise.h"
#include "math.h"

namespace tintype::TINTYPE_ISA {
namespace {

// Of all pictures, or of one: (n, c) or (c).
struct Factors {
  const float *mean, *factor, *shift;
  Factors of_picture(int64_t picture, int64_t c) const {
    return {mean + picture * c, factor + picture * c, shift + picture * c};
  }
};

// `pixels` rows of c channels of one picture.
template <Activation kind>
inline void normalize(const float* x, const Factors& f, int64_t pixels, int64_t c, float* y) {
  for (int64_t pixel = 0; pixel < pixels; pixel++, x += c, y += c) {
    int64_t first = 0;
    for (; first + kSeveral * kWidth <= c; first += kSeveral * kWidth) {
      const auto deviation = load_several(x + first) - load_several(f.mean + first);
      const auto value = fma(deviation, load_several(f.factor + first), load_several(f.shift + first));
      store_several(y + first, activate<kind>(value));
    }
    each_vector(first, c, [=](int64_t j, auto lanes) {
      const Vec deviation = lanes.load(x + j) - lanes.load(f.mean + j);
      lanes.store(y + j, activate<kind>(fma(deviation, lanes.load(f.factor + j), lanes.load(f.shift + j))));
    });
  }
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
