// Between latents or pixels as the models see them and what users see. Bandwidth.
#include "chunk.cuh"
#include "math.cuh"

namespace tintype::cuda {

extern "C" __global__ void to_pixels(ToPixelsArgs a) {
  const FlatChunk at(a.count);
  Chunk v;
  load(elements(a.x) + at.first, at.count, at.whole, v);
  uint8_t* y = a.y + at.first;
#pragma unroll
  for (int i = 0; i < chunk; i++) {
    // fmaxf makes 0 of NaN.
    const float unit = fminf(fmaxf(v[i] * 0.5f + 0.5f, 0.f), 1.f);
    if (i < at.count) y[i] = static_cast<uint8_t>(__float2uint_rn(unit * 255.f));
  }
}

extern "C" __global__ void from_pixels(FromPixelsArgs a) {
  const FlatChunk at(a.count);
  Chunk v;
#pragma unroll
  for (int i = 0; i < chunk; i++) v[i] = i < at.count ? a.x[at.first + i] / 127.5f - 1.f : 0.f;
  store(elements(a.y) + at.first, at.count, at.whole, v);
}

// Latents are float32: what comes of them goes through every step of a sampler.
extern "C" __global__ void sample_gaussian(SampleGaussianArgs a) {
  const RowChunk at(a.m, a.c);
  const Element* moments = elements(a.moments) + at.row * a.c2 + at.column;
  Chunk mean, logvar, noise = {};
  load(moments, at.count, at.whole, mean);
  load(moments + a.c, at.count, at.whole, logvar);
  if (a.noise) load(a.noise + at.first, at.count, at.whole, noise);
#pragma unroll
  for (int i = 0; i < chunk; i++) {
    if (a.noise) {
      // Not fminf and fmaxf: they would hide NaN.
      const float l = logvar[i] < -30.f ? -30.f : logvar[i] > 20.f ? 20.f : logvar[i];
      mean[i] += expf(l * 0.5f) * noise[i];
    }
    mean[i] *= a.factor;
  }
  store(a.y + at.first, at.count, at.whole, mean);
}

}  // namespace tintype::cuda
