// Where the tiles of Winograd's algorithm lie in a picture, and what they read.
#pragma once
#include "../args.gen.h"
#include "integers.h"
#include "winograd_transforms.h"

namespace tintype::TINTYPE_ISA {
namespace {

// Calls use(F4{}), use(F6{}), use(F6Enlarged{}) or use(F4Strided{}).
template <class Use>
inline auto with_tile_size(const Conv2dArgs& args, const Use& use) {
  if (args.stride == 2) return use(F4Strided{});
  if (args.algorithm != ConvAlgorithm::winograd6) return use(F4{});
  return args.upsample == 2 ? use(F6Enlarged{}) : use(F6{});
}

struct Range {
  int64_t first, last;
  int64_t size() const { return last - first; }
};

// The tiles along the rows or the columns of pictures.
template <class F>
class Axis {
 public:
  Axis(int64_t size, int64_t outputs, int64_t pad, int64_t upsample)
      : size_(size),
        outputs_(outputs),
        lead_(pad % F::kEnlarged),
        pad_((pad + lead_) / F::kEnlarged),
        upsample_(upsample / F::kEnlarged) {}

  int64_t tiles() const { return ceil_div(outputs_ + lead_, F::kOutputs); }
  // The first output of a tile, or the place of one before all that there are.
  int64_t first_output(int64_t tile) const { return tile * F::kOutputs - lead_; }
  // Those outputs of some tiles that there are.
  Range outputs(const Range& tiles) const {
    return {max(first_output(tiles.first), 0), min(first_output(tiles.last), outputs_)};
  }
  // Of the pixels of x, the one that tile `tile` has at place i of its patch: -1 for one outside.
  int64_t pixel(int64_t tile, int64_t i) const {
    const int64_t at = tile * F::kStep + i - pad_;
    return at >= 0 && at < size_ * upsample_ ? at / upsample_ : -1;
  }
  // The pixels of x that some tiles read, or the nearest that there are.
  Range pixels(const Range& tiles) const {
    return {nearest(tiles.first * F::kStep), nearest((tiles.last - 1) * F::kStep + F::kPatch - 1) + 1};
  }

 private:
  int64_t nearest(int64_t place) const { return max(0, min((place - pad_) / upsample_, size_ - 1)); }
  // Enlarged twice, a tile begins at a pixel of x: where the padding begins at half of one, with an output
  // too early.
  int64_t size_, outputs_, lead_, pad_, upsample_;
};

template <class F>
inline Axis<F> columns_of(const Conv2dArgs& a) {
  return {a.w, a.wo, a.pad_left, a.upsample};
}
template <class F>
inline Axis<F> rows_of(const Conv2dArgs& a) {
  return {a.h, a.ho, a.pad_top, a.upsample};
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
