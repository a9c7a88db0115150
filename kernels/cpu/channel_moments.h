// Mean and variance of each channel of a result, taken while its tiles are finished, for a normalisation that
// would have to read it again. A result is cut into stretches of pixels of one picture, which are finished in
// one order, each channel by one thread: no bit depends on the number of threads.
#pragma once
#include "../args.gen.h"
#include "integers.h"
#include "moments.h"
#include "parallel.h"

namespace tintype::TINTYPE_ISA {
namespace {

// The sums of a stretch, of how its pixels differ from the first: what is near 0 loses little however large
// the mean. Without memory nothing is measured.
struct StretchSums {
  float* pivot = nullptr;  // (channels)
  int64_t pitch = 0;       // from it to the sums, and from these to those of squares
  bool begins = false;     // no pixel has been added
};

// Adds `pixels` pixels of a vector of channels, from channel n on; next(i) gives them. They are added up
// apart from those before: a sum of parts is more exact than one long sum.
template <class Lanes, class Next>
TINTYPE_INLINE void add_pixels(const StretchSums& to, int64_t n, int pixels, Lanes lanes, const Next& next) {
  float* const pivots = to.pivot + n;
  float* const sums = pivots + to.pitch;
  float* const squares = sums + to.pitch;
  const Vec first = next(0);
  const Vec pivot = to.begins ? first : lanes.load(pivots);
  Vec sum = first - pivot;
  Vec square = sum * sum;
  for (int i = 1; i < pixels; i++) {
    const Vec difference = next(i) - pivot;
    sum = sum + difference;
    square = fma(difference, difference, square);
  }
  if (to.begins) {
    lanes.store(pivots, pivot);
  } else {
    sum = sum + lanes.load(sums);
    square = square + lanes.load(squares);
  }
  lanes.store(sums, sum);
  lanes.store(squares, square);
}

// (stretches): the sums and the number of pixels of each.
class ChannelMoments {
 public:
  // Null memory: nothing is measured.
  ChannelMoments(float* memory, int64_t channels)
      : memory_(memory), channels_(channels), pitch_(round_up(channels, kLine)) {}

  static int64_t floats(int64_t stretches, int64_t channels) {
    return stretches * (3 * round_up(channels, kLine) + kLine);
  }

  StretchSums stretch(int64_t index, bool begins) const {
    return memory_ ? StretchSums{at(index), pitch_, begins} : StretchSums{};
  }
  void set_pixels(int64_t index, int64_t pixels) const {
    if (memory_) at(index)[3 * pitch_] = static_cast<float>(pixels);
  }

  // Of the stretches [first, last), which are a picture.
  void join(const Exec& exec, int64_t first, int64_t last, float* mean, float* variance) const {
    parallel_chunks(exec, channels_, kLine, [&](int64_t begin, int64_t end) {
      Moments all[kLine] = {}, some[kLine];
      int64_t pixels = 0;
      for (int64_t index = first; index < last; index++) {
        const float* const pivots = at(index);
        const int64_t more = static_cast<int64_t>(pivots[3 * pitch_]);
        for (int64_t i = begin; i < end; i++) {
          const double sum = pivots[pitch_ + i];
          const double offset = sum / static_cast<double>(more);
          some[i - begin] = {pivots[i] + offset, pivots[2 * pitch_ + i] - offset * sum};
        }
        merge(all, pixels, some, more, end - begin);
        pixels += more;
      }
      for (int64_t i = begin; i < end; i++) {
        mean[i] = static_cast<float>(all[i - begin].mean);
        variance[i] = static_cast<float>(all[i - begin].squares / static_cast<double>(pixels));
      }
    });
  }

 private:
  float* const memory_;
  const int64_t channels_, pitch_;
  float* at(int64_t index) const { return memory_ + index * (3 * pitch_ + kLine); }
};

// Those of a convolution lie at the beginning of the shared scratch memory.
inline int64_t moments_floats(const Conv2dArgs& a, int64_t stretches) {
  return a.channel_mean == nullptr ? 0 : ChannelMoments::floats(stretches, a.o);
}
inline ChannelMoments moments_of(const Conv2dArgs& a, const Exec& exec) {
  return {a.channel_mean == nullptr ? nullptr : reinterpret_cast<float*>(exec.shared_scratch), a.o};
}
inline void join_moments(const Conv2dArgs& a, const Exec& exec, int64_t picture, int64_t first,
                         int64_t last) {
  const int64_t at = picture * a.o;
  moments_of(a, exec).join(exec, first, last, a.channel_mean + at, a.channel_variance + at);
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
