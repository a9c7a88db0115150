// Between latents or float pixels and what users see: sampling, scaling, rounding to bytes.
#include "elementwise.h"
#include "math.h"

namespace tintype::TINTYPE_ISA {

void to_pixels(const ToPixelsArgs& args, const Exec& exec) {
  const float* x = args.x;
  uint8_t* y = args.y;
  const Vec half = broadcast(0.5f);
  parallel_chunks(exec, args.count, kChunk, [=](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i += kWidth) {
      const int lanes = last - i < kWidth ? static_cast<int>(last - i) : kWidth;
      const Vec shifted = load_partial(x + i, lanes) * half + half;
      // With the limit second, a NaN becomes 0.
      const Vec unit = min(max(shifted, broadcast(0.0f)), broadcast(1.0f));
      float level[kWidth];
      store(level, from_bits(round_to_int(unit * broadcast(255.0f))));
      for (int lane = 0; lane < lanes; lane++) {
        y[i + lane] = static_cast<uint8_t>(__builtin_bit_cast(uint32_t, level[lane]));
      }
    }
  });
}

void from_pixels(const FromPixelsArgs& args, const Exec& exec) {
  const uint8_t* x = args.x;
  float* y = args.y;
  parallel_chunks(exec, args.count, kChunk, [=](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; i++) y[i] = static_cast<float>(x[i]) / 127.5f - 1.0f;
  });
}

void sample_gaussian(const SampleGaussianArgs& args, const Exec& exec) {
  const int64_t c = args.c;
  const Vec factor = broadcast(args.factor);
  parallel_rows(exec, args.m, c, [&](int64_t row) {
    const float* mean = args.moments + row * 2 * c;
    const float* logvar = mean + c;
    const float* noise = args.noise ? args.noise + row * c : nullptr;
    float* y = args.y + row * c;
    each_vector(0, c, [=](int64_t j, auto lanes) {
      Vec value = lanes.load(mean + j);
      if (noise) {
        const Vec clamped = min(broadcast(20.0f), max(broadcast(-30.0f), lanes.load(logvar + j)));
        value = value + exp(clamped * broadcast(0.5f)) * lanes.load(noise + j);
      }
      lanes.store(y + j, value * factor);
    });
  });
}

ScratchSize to_pixels_scratch(const ToPixelsArgs&) {
  return 0;
}
ScratchSize from_pixels_scratch(const FromPixelsArgs&) {
  return 0;
}
ScratchSize sample_gaussian_scratch(const SampleGaussianArgs&) {
  return 0;
}

}  // namespace tintype::TINTYPE_ISA
