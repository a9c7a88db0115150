// A vector of floats, as wide as the instruction set allows: with pairs.h the only file of the CPU kernels
// that names intrinsics. kWidth is 16 (AVX-512), 8 (AVX2), 4 (SSE2, NEON) or 1 (plain C++: the truth, and any
// other machine). Everything has internal linkage: the same names mean other code in the other instruction
// sets' objects.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "../args.gen.h"

#if defined(TINTYPE_SIMD_SCALAR)
#elif defined(__AVX512F__)
#define TINTYPE_SIMD_AVX512
// GCC 12 calls its own headers' deliberately undefined operands uninitialised (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop
#elif defined(__AVX2__)
#define TINTYPE_SIMD_AVX2
#include <immintrin.h>
#elif defined(__SSE2__) || defined(_M_X64)
#define TINTYPE_SIMD_SSE2
#include <emmintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#define TINTYPE_SIMD_NEON
#include <arm_neon.h>
#else
#define TINTYPE_SIMD_SCALAR
#endif

// For functions whose arguments are more than registers can pass, and for those that need all registers.
#if defined(__GNUC__)
#define TINTYPE_INLINE [[gnu::always_inline]] inline
#define TINTYPE_NOINLINE [[gnu::noinline]]
#else
#define TINTYPE_INLINE __forceinline
#define TINTYPE_NOINLINE __declspec(noinline)
#endif

namespace tintype::TINTYPE_ISA {
namespace {

#if defined(TINTYPE_SIMD_AVX512)

constexpr int kWidth = 16;
constexpr int kRegisters = 32;
using VecData = __m512;
using IntData = __m512i;
using MaskData = __mmask16;

#elif defined(TINTYPE_SIMD_AVX2)

constexpr int kWidth = 8;
constexpr int kRegisters = 16;
using VecData = __m256;
using IntData = __m256i;
using MaskData = __m256;

#elif defined(TINTYPE_SIMD_SSE2)

constexpr int kWidth = 4;
constexpr int kRegisters = 16;
using VecData = __m128;
using IntData = __m128i;
using MaskData = __m128;

#elif defined(TINTYPE_SIMD_NEON)

constexpr int kWidth = 4;
constexpr int kRegisters = 32;
using VecData = float32x4_t;
using IntData = int32x4_t;
using MaskData = uint32x4_t;

#else

constexpr int kWidth = 1;
constexpr int kRegisters = 16;
using VecData = float;
using IntData = int32_t;
using MaskData = bool;

#endif

struct Vec {
  VecData v;
};
struct VecInt {
  IntData v;
};
struct VecMask {
  MaskData v;
};

// Sixteen-bit floats as they lie in memory; load() widens them, and int8.
struct F16 {
  uint16_t bits;
};
struct BF16 {
  uint16_t bits;
};

// A table with one operation a line.
// clang-format off
#if defined(TINTYPE_SIMD_AVX512)

inline Vec broadcast(float x) { return {_mm512_set1_ps(x)}; }
inline VecInt broadcast_int(int32_t x) { return {_mm512_set1_epi32(x)}; }
inline Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
inline void store_past_caches(float* p, Vec a) { _mm512_stream_ps(p, a.v); }
inline __mmask16 first(int n) { return static_cast<__mmask16>((1u << n) - 1); }
inline Vec load_partial(const float* p, int n) { return {_mm512_maskz_loadu_ps(first(n), p)}; }
inline void store_partial(float* p, Vec a, int n) { _mm512_mask_storeu_ps(p, first(n), a.v); }
inline Vec load(const F16* p) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
inline Vec load(const BF16* p) {
  const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16))};
}
inline Vec load(const int8_t* p) {
  return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
}

inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec fnma(Vec a, Vec b, Vec c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
inline Vec sqrt(Vec a) { return {_mm512_sqrt_ps(a.v)}; }

inline VecMask operator<(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
inline VecMask operator==(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
inline Vec select(VecMask m, Vec yes, Vec no) { return {_mm512_mask_blend_ps(m.v, no.v, yes.v)}; }

inline VecInt bits_of(Vec a) { return {_mm512_castps_si512(a.v)}; }
inline Vec from_bits(VecInt a) { return {_mm512_castsi512_ps(a.v)}; }
inline VecInt round_to_int(Vec a) { return {_mm512_cvtps_epi32(a.v)}; }
inline Vec to_float(VecInt a) { return {_mm512_cvtepi32_ps(a.v)}; }
inline Vec round(Vec a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT)}; }
inline Vec scale_by_power(Vec a, Vec n) { return {_mm512_scalef_ps(a.v, n.v)}; }
inline VecInt operator+(VecInt a, VecInt b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline VecInt operator-(VecInt a, VecInt b) { return {_mm512_sub_epi32(a.v, b.v)}; }
inline VecInt operator&(VecInt a, VecInt b) { return {_mm512_and_si512(a.v, b.v)}; }
inline VecInt operator|(VecInt a, VecInt b) { return {_mm512_or_si512(a.v, b.v)}; }
template <int N>
inline VecInt shift_left(VecInt a) { return {_mm512_slli_epi32(a.v, N)}; }
template <int N>
inline VecInt shift_right(VecInt a) { return {_mm512_srai_epi32(a.v, N)}; }

// Columns become rows, in four rounds that each pair rows 1, 2, 4 and 8 apart.
inline void transpose(Vec (&rows)[kWidth]) {
  __m512 a[kWidth], b[kWidth];
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_ps(rows[i].v, rows[i + 1].v);
    a[i + 1] = _mm512_unpackhi_ps(rows[i].v, rows[i + 1].v);
  }
  for (int i = 0; i < 16; i += 4) {
    for (int j = 0; j < 2; j++) {
      const __m512d low = _mm512_castps_pd(a[i + j]);
      const __m512d high = _mm512_castps_pd(a[i + j + 2]);
      b[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      b[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
  }
  for (int i = 0; i < 16; i += 8) {
    for (int j = 0; j < 4; j++) {
      a[i + j] = _mm512_shuffle_f32x4(b[i + j], b[i + j + 4], 0x88);
      a[i + j + 4] = _mm512_shuffle_f32x4(b[i + j], b[i + j + 4], 0xdd);
    }
  }
  for (int j = 0; j < 8; j++) {
    rows[j].v = _mm512_shuffle_f32x4(a[j], a[j + 8], 0x88);
    rows[j + 8].v = _mm512_shuffle_f32x4(a[j], a[j + 8], 0xdd);
  }
}

#elif defined(TINTYPE_SIMD_AVX2)

inline Vec broadcast(float x) { return {_mm256_set1_ps(x)}; }
inline VecInt broadcast_int(int32_t x) { return {_mm256_set1_epi32(x)}; }
inline Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
inline void store(float* p, Vec a) { _mm256_storeu_ps(p, a.v); }
inline void store_past_caches(float* p, Vec a) { _mm256_stream_ps(p, a.v); }
inline __m256i first(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline Vec load_partial(const float* p, int n) { return {_mm256_maskload_ps(p, first(n))}; }
inline void store_partial(float* p, Vec a, int n) { _mm256_maskstore_ps(p, first(n), a.v); }
inline Vec load(const F16* p) {
  return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
inline Vec load(const BF16* p) {
  const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16))};
}
inline Vec load(const int8_t* p) {
  return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))))};
}

inline Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec fnma(Vec a, Vec b, Vec c) { return {_mm256_fnmadd_ps(a.v, b.v, c.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
inline Vec sqrt(Vec a) { return {_mm256_sqrt_ps(a.v)}; }

inline VecMask operator<(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
inline VecMask operator==(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
inline Vec select(VecMask m, Vec yes, Vec no) { return {_mm256_blendv_ps(no.v, yes.v, m.v)}; }

inline VecInt bits_of(Vec a) { return {_mm256_castps_si256(a.v)}; }
inline Vec from_bits(VecInt a) { return {_mm256_castsi256_ps(a.v)}; }
inline VecInt round_to_int(Vec a) { return {_mm256_cvtps_epi32(a.v)}; }
inline Vec to_float(VecInt a) { return {_mm256_cvtepi32_ps(a.v)}; }
inline Vec round(Vec a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline VecInt operator+(VecInt a, VecInt b) { return {_mm256_add_epi32(a.v, b.v)}; }
inline VecInt operator-(VecInt a, VecInt b) { return {_mm256_sub_epi32(a.v, b.v)}; }
inline VecInt operator&(VecInt a, VecInt b) { return {_mm256_and_si256(a.v, b.v)}; }
inline VecInt operator|(VecInt a, VecInt b) { return {_mm256_or_si256(a.v, b.v)}; }
template <int N>
inline VecInt shift_left(VecInt a) { return {_mm256_slli_epi32(a.v, N)}; }
template <int N>
inline VecInt shift_right(VecInt a) { return {_mm256_srai_epi32(a.v, N)}; }

inline void transpose(Vec (&rows)[kWidth]) {
  __m256 a[kWidth], b[kWidth];
  for (int i = 0; i < 8; i += 2) {
    a[i] = _mm256_unpacklo_ps(rows[i].v, rows[i + 1].v);
    a[i + 1] = _mm256_unpackhi_ps(rows[i].v, rows[i + 1].v);
  }
  for (int i = 0; i < 8; i += 4) {
    for (int j = 0; j < 2; j++) {
      b[i + 2 * j] = _mm256_shuffle_ps(a[i + j], a[i + j + 2], 0x44);
      b[i + 2 * j + 1] = _mm256_shuffle_ps(a[i + j], a[i + j + 2], 0xee);
    }
  }
  for (int j = 0; j < 4; j++) {
    rows[j].v = _mm256_permute2f128_ps(b[j], b[j + 4], 0x20);
    rows[j + 4].v = _mm256_permute2f128_ps(b[j], b[j + 4], 0x31);
  }
}

#elif defined(TINTYPE_SIMD_SSE2)

inline Vec broadcast(float x) { return {_mm_set1_ps(x)}; }
inline VecInt broadcast_int(int32_t x) { return {_mm_set1_epi32(x)}; }
inline Vec load(const float* p) { return {_mm_loadu_ps(p)}; }
inline void store(float* p, Vec a) { _mm_storeu_ps(p, a.v); }

inline Vec operator+(Vec a, Vec b) { return {_mm_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm_add_ps(_mm_mul_ps(a.v, b.v), c.v)}; }
inline Vec fnma(Vec a, Vec b, Vec c) { return {_mm_sub_ps(c.v, _mm_mul_ps(a.v, b.v))}; }
inline Vec min(Vec a, Vec b) { return {_mm_min_ps(a.v, b.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm_max_ps(a.v, b.v)}; }
inline Vec sqrt(Vec a) { return {_mm_sqrt_ps(a.v)}; }

inline VecMask operator<(Vec a, Vec b) { return {_mm_cmplt_ps(a.v, b.v)}; }
inline VecMask operator==(Vec a, Vec b) { return {_mm_cmpeq_ps(a.v, b.v)}; }
inline Vec select(VecMask m, Vec yes, Vec no) {
  return {_mm_or_ps(_mm_and_ps(m.v, yes.v), _mm_andnot_ps(m.v, no.v))};
}

inline VecInt bits_of(Vec a) { return {_mm_castps_si128(a.v)}; }
inline Vec from_bits(VecInt a) { return {_mm_castsi128_ps(a.v)}; }
inline VecInt round_to_int(Vec a) { return {_mm_cvtps_epi32(a.v)}; }
inline Vec to_float(VecInt a) { return {_mm_cvtepi32_ps(a.v)}; }
inline VecInt operator+(VecInt a, VecInt b) { return {_mm_add_epi32(a.v, b.v)}; }
inline VecInt operator-(VecInt a, VecInt b) { return {_mm_sub_epi32(a.v, b.v)}; }
inline VecInt operator&(VecInt a, VecInt b) { return {_mm_and_si128(a.v, b.v)}; }
inline VecInt operator|(VecInt a, VecInt b) { return {_mm_or_si128(a.v, b.v)}; }
template <int N>
inline VecInt shift_left(VecInt a) { return {_mm_slli_epi32(a.v, N)}; }
template <int N>
inline VecInt shift_right(VecInt a) { return {_mm_srai_epi32(a.v, N)}; }

inline void transpose(Vec (&rows)[kWidth]) {
  _MM_TRANSPOSE4_PS(rows[0].v, rows[1].v, rows[2].v, rows[3].v);
}

// F. Giesen, "Half to float done quic(kly)", 2012: rebias the exponent; subnormals are normalised by a
// subtraction.
inline Vec load(const F16* p) {
  const __m128i half =
      _mm_unpacklo_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)), _mm_setzero_si128());
  const __m128i magnitude = _mm_slli_epi32(_mm_and_si128(half, _mm_set1_epi32(0x7fff)), 13);
  const __m128i sign = _mm_slli_epi32(_mm_and_si128(half, _mm_set1_epi32(0x8000)), 16);
  const __m128i rebias = _mm_set1_epi32((127 - 15) << 23);
  const __m128i one = _mm_set1_epi32(1 << 23);
  const __m128i special = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32((31 << 23) - 1));
  const __m128i small = _mm_cmpgt_epi32(one, magnitude);
  __m128i wide = _mm_add_epi32(_mm_add_epi32(magnitude, rebias), _mm_and_si128(special, rebias));
  const __m128 lifted = _mm_castsi128_ps(_mm_add_epi32(wide, one));
  const __m128i normal = _mm_castps_si128(_mm_sub_ps(lifted, _mm_castsi128_ps(_mm_add_epi32(rebias, one))));
  wide = _mm_or_si128(_mm_and_si128(small, normal), _mm_andnot_si128(small, wide));
  return {_mm_castsi128_ps(_mm_or_si128(wide, sign))};
}
inline Vec load(const BF16* p) {
  const __m128i half = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return {_mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), half))};
}
// Each byte to the top of its lane, from where the shift brings the sign down.
inline Vec load(const int8_t* p) {
  int32_t four;
  std::memcpy(&four, p, sizeof(four));
  const __m128i bytes = _mm_unpacklo_epi8(_mm_setzero_si128(), _mm_cvtsi32_si128(four));
  return {_mm_cvtepi32_ps(_mm_srai_epi32(_mm_unpacklo_epi16(_mm_setzero_si128(), bytes), 24))};
}

#elif defined(TINTYPE_SIMD_NEON)

inline Vec broadcast(float x) { return {vdupq_n_f32(x)}; }
inline VecInt broadcast_int(int32_t x) { return {vdupq_n_s32(x)}; }
inline Vec load(const float* p) { return {vld1q_f32(p)}; }
inline void store(float* p, Vec a) { vst1q_f32(p, a.v); }
inline Vec load(const F16* p) {
  return {vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(reinterpret_cast<const uint16_t*>(p))))};
}
inline Vec load(const BF16* p) {
  return {vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(reinterpret_cast<const uint16_t*>(p)), 16))};
}
inline Vec load(const int8_t* p) {
  int32_t four;
  std::memcpy(&four, p, sizeof(four));
  return {vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four))))))};
}

inline Vec operator+(Vec a, Vec b) { return {vaddq_f32(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {vsubq_f32(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {vmulq_f32(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {vdivq_f32(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
inline Vec fnma(Vec a, Vec b, Vec c) { return {vfmsq_f32(c.v, a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {vbslq_f32(vcltq_f32(a.v, b.v), a.v, b.v)}; }
inline Vec max(Vec a, Vec b) { return {vbslq_f32(vcgtq_f32(a.v, b.v), a.v, b.v)}; }
inline Vec sqrt(Vec a) { return {vsqrtq_f32(a.v)}; }

inline VecMask operator<(Vec a, Vec b) { return {vcltq_f32(a.v, b.v)}; }
inline VecMask operator==(Vec a, Vec b) { return {vceqq_f32(a.v, b.v)}; }
inline Vec select(VecMask m, Vec yes, Vec no) { return {vbslq_f32(m.v, yes.v, no.v)}; }

inline VecInt bits_of(Vec a) { return {vreinterpretq_s32_f32(a.v)}; }
inline Vec from_bits(VecInt a) { return {vreinterpretq_f32_s32(a.v)}; }
inline VecInt round_to_int(Vec a) { return {vcvtnq_s32_f32(a.v)}; }
inline Vec to_float(VecInt a) { return {vcvtq_f32_s32(a.v)}; }
inline Vec round(Vec a) { return {vrndnq_f32(a.v)}; }
inline VecInt operator+(VecInt a, VecInt b) { return {vaddq_s32(a.v, b.v)}; }
inline VecInt operator-(VecInt a, VecInt b) { return {vsubq_s32(a.v, b.v)}; }
inline VecInt operator&(VecInt a, VecInt b) { return {vandq_s32(a.v, b.v)}; }
inline VecInt operator|(VecInt a, VecInt b) { return {vorrq_s32(a.v, b.v)}; }
template <int N>
inline VecInt shift_left(VecInt a) { return {vshlq_n_s32(a.v, N)}; }
template <int N>
inline VecInt shift_right(VecInt a) { return {vshrq_n_s32(a.v, N)}; }

inline void transpose(Vec (&rows)[kWidth]) {
  const float32x4x2_t top = vtrnq_f32(rows[0].v, rows[1].v);
  const float32x4x2_t bottom = vtrnq_f32(rows[2].v, rows[3].v);
  rows[0].v = vcombine_f32(vget_low_f32(top.val[0]), vget_low_f32(bottom.val[0]));
  rows[1].v = vcombine_f32(vget_low_f32(top.val[1]), vget_low_f32(bottom.val[1]));
  rows[2].v = vcombine_f32(vget_high_f32(top.val[0]), vget_high_f32(bottom.val[0]));
  rows[3].v = vcombine_f32(vget_high_f32(top.val[1]), vget_high_f32(bottom.val[1]));
}

#else

inline void transpose(Vec (&)[kWidth]) {}
inline VecInt bits_of(Vec a) { return {__builtin_bit_cast(int32_t, a.v)}; }
inline Vec from_bits(VecInt a) { return {__builtin_bit_cast(float, a.v)}; }
inline Vec broadcast(float x) { return {x}; }
inline VecInt broadcast_int(int32_t x) { return {x}; }
inline Vec load(const float* p) { return {*p}; }
inline void store(float* p, Vec a) { *p = a.v; }
inline Vec load(const int8_t* p) { return {static_cast<float>(*p)}; }
inline Vec load(const BF16* p) {
  return from_bits({static_cast<int32_t>(static_cast<uint32_t>(p->bits) << 16)});
}
inline Vec load(const F16* p) {
  const int32_t sign = p->bits >> 15 ? INT32_MIN : 0;
  const int32_t exponent = (p->bits >> 10) & 31;
  const int32_t mantissa = p->bits & 1023;
  if (exponent == 0) return from_bits({sign | bits_of({static_cast<float>(mantissa) * 0x1p-24f}).v});
  const int32_t rebiased = exponent == 31 ? 255 : exponent - 15 + 127;
  return from_bits({sign | (rebiased << 23) | (mantissa << 13)});
}

inline Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
inline Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
inline Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
inline Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {a.v * b.v + c.v}; }
inline Vec fnma(Vec a, Vec b, Vec c) { return {c.v - a.v * b.v}; }
inline Vec min(Vec a, Vec b) { return a.v < b.v ? a : b; }
inline Vec max(Vec a, Vec b) { return a.v > b.v ? a : b; }
inline Vec sqrt(Vec a) { return {__builtin_sqrtf(a.v)}; }

inline VecMask operator<(Vec a, Vec b) { return {a.v < b.v}; }
inline VecMask operator==(Vec a, Vec b) { return {a.v == b.v}; }
inline Vec select(VecMask m, Vec yes, Vec no) { return m.v ? yes : no; }

// Adding 1.5 * 2^23 pushes the fraction out, halves to even; the kernels round no larger numbers than 2^22.
inline VecInt round_to_int(Vec a) { return {bits_of({a.v + 0x1.8p23f}).v - 0x4b400000}; }
inline Vec to_float(VecInt a) { return {static_cast<float>(a.v)}; }
inline VecInt operator+(VecInt a, VecInt b) { return {a.v + b.v}; }
inline VecInt operator-(VecInt a, VecInt b) { return {a.v - b.v}; }
inline VecInt operator&(VecInt a, VecInt b) { return {a.v & b.v}; }
inline VecInt operator|(VecInt a, VecInt b) { return {a.v | b.v}; }
template <int N>
inline VecInt shift_left(VecInt a) { return {static_cast<int32_t>(static_cast<uint32_t>(a.v) << N)}; }
template <int N>
inline VecInt shift_right(VecInt a) { return {a.v >> N}; }

#endif

// clang-format on

#if defined(TINTYPE_SIMD_AVX512) || defined(TINTYPE_SIMD_AVX2)
#define TINTYPE_SIMD_MASKED
#endif

#if defined(TINTYPE_SIMD_SSE2) || defined(TINTYPE_SIMD_SCALAR)
inline Vec round(Vec a) {
  return to_float(round_to_int(a));
}
#endif
// a * 2^n for a from 1/sqrt(2) to sqrt(2) and whole n from -126 to 128, of which the last is for a <= 1
// alone.
#ifndef TINTYPE_SIMD_AVX512
inline Vec scale_by_power(Vec a, Vec n) {
  return from_bits(bits_of(a) + shift_left<23>(round_to_int(n)));
}
#endif

// The first n lanes, n from 0 to kWidth: nothing beyond them is read or written, the other lanes are 0.
#ifndef TINTYPE_SIMD_MASKED
inline Vec load_partial(const float* p, int n) {
  float lanes[kWidth] = {};
  for (int i = 0; i < n; i++) lanes[i] = p[i];
  return load(lanes);
}
inline void store_partial(float* p, Vec a, int n) {
  float lanes[kWidth];
  store(lanes, a);
  for (int i = 0; i < n; i++) p[i] = lanes[i];
}
#endif
template <class T>
inline Vec load_partial(const T* p, int n) {
  T lanes[kWidth] = {};
  for (int i = 0; i < n; i++) lanes[i] = p[i];
  return load(lanes);
}

// min and max above return the second operand when either is NaN, as x86 does: min(limit, x) lets a NaN in x
// pass.
inline Vec operator-(Vec a) {
  return from_bits(bits_of(a) + broadcast_int(INT32_MIN));
}
inline Vec abs(Vec a) {
  return from_bits(bits_of(a) & broadcast_int(INT32_MAX));
}
inline Vec sign_of(Vec a) {
  return from_bits(bits_of(a) & broadcast_int(INT32_MIN));
}
inline Vec operator|(Vec a, Vec b) {
  return from_bits(bits_of(a) | bits_of(b));
}

// Halves are added to halves: the order is part of the result, and the same for every caller.
inline float reduce_add(Vec a) {
  float lanes[kWidth];
  store(lanes, a);
  for (int half = kWidth / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}
inline float reduce_max(Vec a) {
  float lanes[kWidth];
  store(lanes, a);
  for (int half = kWidth / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
  }
  return lanes[0];
}

constexpr int64_t kLine = 16;  // floats of a cache line

// Asks for the cache line of p. The empty assembler statement keeps GCC 12 from dropping a loop that does
// nothing else, which it takes for one without effect.
inline void prefetch(const float* p) {
#if defined(__GNUC__)
  __builtin_prefetch(p);
  asm volatile("" : : "r"(p));
#elif defined(TINTYPE_SIMD_SSE2) || defined(TINTYPE_SIMD_AVX2) || defined(TINTYPE_SIMD_AVX512)
  _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0);
#else
  static_cast<void>(p);
#endif
}

// The same, but not into L1.
inline void prefetch_to_l2(const float* p) {
#if defined(__GNUC__)
  __builtin_prefetch(p, 0, 2);
  asm volatile("" : : "r"(p));
#elif defined(TINTYPE_SIMD_SSE2) || defined(TINTYPE_SIMD_AVX2) || defined(TINTYPE_SIMD_AVX512)
  _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T1);
#else
  static_cast<void>(p);
#endif
}

// Whether there is store_past_caches(p, v): memory gets what is stored, and no cache has its line read first
// to make room. p is aligned to the vector. What other threads are to read must be settled before.
#if defined(TINTYPE_SIMD_AVX2) || defined(TINTYPE_SIMD_AVX512)
constexpr bool kStoresPastCaches = true;
inline void settle_stores() {
  _mm_sfence();
}
#else
constexpr bool kStoresPastCaches = false;
inline void store_past_caches(float* p, Vec a) {
  store(p, a);
}
inline void settle_stores() {}
#endif

// Calls f with the weight's data as a pointer to its type: dtype becomes a template parameter here, once.
template <class F>
inline void with_elements(const Weight& w, F f) {
  if (w.dtype == DType::f16) return f(static_cast<const F16*>(w.data));
  if (w.dtype == DType::bf16) return f(static_cast<const BF16*>(w.data));
  if (w.dtype == DType::i8) return f(static_cast<const int8_t*>(w.data));
  return f(static_cast<const float*>(w.data));
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
