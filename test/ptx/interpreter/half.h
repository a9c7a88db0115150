// fp16 and bf16 bits to float and back, rounding to nearest even.
#pragma once
#include <immintrin.h>

#include <bit>
#include <cstdint>

namespace tintype::ptx {

inline float from_f16(uint16_t bits) {
  return _cvtsh_ss(bits);
}
inline uint16_t to_f16(float value) {
  return _cvtss_sh(value, _MM_FROUND_TO_NEAREST_INT);
}

inline float from_bf16(uint16_t bits) {
  return std::bit_cast<float>(uint32_t{bits} << 16);
}
inline uint16_t to_bf16(float value) {
  const uint32_t u = std::bit_cast<uint32_t>(value);
  if ((u & 0x7fffffff) > 0x7f800000) return 0x7fff;
  return static_cast<uint16_t>((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

// Eight of them in a row.
template <bool Bf16>
void widen_eight(const void* halves, float* values) {
  const __m128i raw = _mm_loadu_si128(static_cast<const __m128i*>(halves));
  if constexpr (Bf16) {
    const __m256i wide = _mm256_slli_epi32(_mm256_cvtepu16_epi32(raw), 16);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(values), wide);
  } else {
    _mm256_storeu_ps(values, _mm256_cvtph_ps(raw));
  }
}

}  // namespace tintype::ptx
