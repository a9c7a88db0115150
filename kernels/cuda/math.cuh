// The functions of the models, by the fast instructions where their error is far below that of an element.
#pragma once
#include "element.cuh"

namespace tintype::cuda {

// 2^x to 2 ulp (PTX manual, ex2.approx)
__device__ inline float exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

inline constexpr float log2_e = 1.4426950408889634f;

// 1 / x to 1 ulp (PTX manual, rcp.approx), 0 where that would be less than 2^-126
__device__ inline float reciprocal(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

__device__ inline float sigmoid_times(float x, float factor) {
  return x * reciprocal(1.f + exp2(x * (-log2_e * factor)));
}

// x times the normal distribution up to x, whose error is at most 7.5e-8: by formula 7.1.26 of Abramowitz and
// Stegun, Handbook of Mathematical Functions, for what is behind |x|.
__device__ inline float gelu(float x) {
  const float z = fabsf(x) * 0.70710678118654752f, t = reciprocal(fmaf(0.3275911f, z, 1.f));
  float sum = fmaf(t, 1.061405429f, -1.453152027f);
  sum = fmaf(sum, t, 1.421413741f);
  sum = fmaf(sum, t, -0.284496736f);
  sum = fmaf(sum, t, 0.254829592f);
  const float behind = 0.5f * sum * t * exp2(-log2_e * z * z);
  return x * (x < 0 ? behind : 1.f - behind);
}

// One branch for all of them.
template <int N>
__device__ inline void activate(float (&v)[N], Activation activation) {
  if (activation == Activation::none) return;
  if (activation == Activation::gelu) {
#pragma unroll
    for (int i = 0; i < N; i++) v[i] = gelu(v[i]);
  } else {
    const float factor = activation == Activation::silu ? 1.f : 1.702f;
#pragma unroll
    for (int i = 0; i < N; i++) v[i] = sigmoid_times(v[i], factor);
  }
}

__device__ inline float warp_sum(float value) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(0xffffffff, value, distance);
  return value;
}

}  // namespace tintype::cuda
