// The type of activations and matrix weights on the device, fp16 or bf16. Every .cu is compiled once for each
// of them, as TINTYPE_PRECISION says, as the CPU kernels are once for each instruction set. Arithmetic is
// float32 everywhere, but that the matrix products of `fast` sum 32 products in fp16.
#pragma once
#include <cstdint>

#include "../args.gen.h"

namespace tintype::cuda {

enum class Precision { f16, bf16, fast };
inline constexpr Precision precision = Precision::TINTYPE_PRECISION;
inline constexpr bool is_bf16 = precision == Precision::bf16;
inline constexpr bool is_fast = precision == Precision::fast;  // elements are those of f16

struct Element {
  uint16_t bits;
};

// Argument structs are those of the CPU, which call every activation float.
__device__ inline const Element* elements(const float* p) {
  return reinterpret_cast<const Element*>(p);
}
__device__ inline Element* elements(float* p) {
  return reinterpret_cast<Element*>(p);
}

__device__ inline float to_float(Element e) {
  float value;
  if constexpr (is_bf16) {
    value = __uint_as_float(uint32_t{e.bits} << 16);
  } else {
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(e.bits));
  }
  return value;
}

__device__ inline Element to_element(float value) {
  Element e;
  if constexpr (is_bf16) {
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(e.bits) : "f"(value));
  } else {
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(e.bits) : "f"(value));
  }
  return e;
}

// Two elements in a register, the first one low.
__device__ inline uint32_t pack(float low, float high) {
  uint32_t pair;
#if __CUDA_ARCH__ >= 800
  if constexpr (is_bf16) {
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  } else {
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  }
#else
  pair = uint32_t{to_element(high).bits} << 16 | to_element(low).bits;
#endif
  return pair;
}

__device__ inline float2 unpack(uint32_t pair) {
  return make_float2(to_float({static_cast<uint16_t>(pair)}), to_float({static_cast<uint16_t>(pair >> 16)}));
}

}  // namespace tintype::cuda
