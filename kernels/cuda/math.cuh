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

__device__ inline float exp(float x) {
  return exp2(x * log2_e);
}

__device__ inline float sigmoid_times(float x, float factor) {
  return x / (1.f + exp(-factor * x));
}

__device__ inline float gelu(float x) {
  return 0.5f * x * (1.f + erff(x * 0.70710678118654752f));
}

__device__ inline float activate(float x, Activation activation) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::silu:
      return sigmoid_times(x, 1.f);
    case Activation::gelu:
      return gelu(x);
    case Activation::quick_gelu:
      return sigmoid_times(x, 1.702f);
  }
  return x;
}

template <int N>
__device__ inline void activate(float (&v)[N], Activation activation) {
  if (activation == Activation::none) return;
#pragma unroll
  for (int i = 0; i < N; i++) v[i] = activate(v[i], activation);
}

__device__ inline float warp_sum(float value) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(0xffffffff, value, distance);
  return value;
}

}  // namespace tintype::cuda
