// Pairs of bf16: what products are made of where that is asked for (precision bf16), by an instruction made
// for it where the kernels are compiled for one.
#pragma once
#include <type_traits>

#include "simd.h"

namespace tintype::TINTYPE_ISA {
namespace {

// Two bf16 side by side, the first in the lower half: what dot() multiplies. A vector of pairs is a Vec,
// of whose lanes only the bits count.
struct BF16Pair {
  uint32_t bits;
};
inline Vec load(const BF16Pair* p) {
  return load(reinterpret_cast<const float*>(p));
}

#if defined(TINTYPE_SIMD_AVX512) && defined(__AVX512BF16__)

// sum + a.first * b.first + a.second * b.second
inline Vec dot(Vec a, Vec b, Vec sum) {
  return {_mm512_dpbf16_ps(sum.v, reinterpret_cast<__m512bh>(a.v), reinterpret_cast<__m512bh>(b.v))};
}
// The pairs of 2 * kWidth numbers one after the other, rounded to nearest, ties to even.
inline Vec load_pairs(const float* p) {
  return {reinterpret_cast<__m512>(_mm512_cvtne2ps_pbh(_mm512_loadu_ps(p + kWidth), _mm512_loadu_ps(p)))};
}
// (first, second) of each lane.
inline Vec pair_up(Vec first, Vec second) {
  const __m512i all = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second.v, first.v));
  const __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(all));
  const __m512i high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(all, 1));
  return {_mm512_castsi512_ps(_mm512_or_si512(low, _mm512_slli_epi32(high, 16)))};
}

#else

inline Vec first_of_pairs(Vec pairs) {
  return from_bits(shift_left<16>(bits_of(pairs)));
}
inline Vec second_of_pairs(Vec pairs) {
  return from_bits(bits_of(pairs) & broadcast_int(static_cast<int32_t>(0xffff0000)));
}
inline Vec dot(Vec a, Vec b, Vec sum) {
  return fma(first_of_pairs(a), first_of_pairs(b), fma(second_of_pairs(a), second_of_pairs(b), sum));
}
// The bits that are left are in the upper half.
inline VecInt rounded_to_bf16(Vec a) {
  const VecInt odd = shift_right<16>(bits_of(a)) & broadcast_int(1);
  const Vec rounded = from_bits(bits_of(a) + broadcast_int(0x7fff) + odd);
  const Vec kept = select(a == a, rounded, broadcast(__builtin_nanf("0")));
  return bits_of(kept) & broadcast_int(static_cast<int32_t>(0xffff0000));
}
inline Vec pair_up(Vec first, Vec second) {
  const VecInt low = shift_right<16>(rounded_to_bf16(first)) & broadcast_int(0xffff);
  return from_bits(low | rounded_to_bf16(second));
}
inline Vec load_pairs(const float* p) {
  float first[kWidth], second[kWidth];
  for (int i = 0; i < kWidth; i++) {
    first[i] = p[2 * i];
    second[i] = p[2 * i + 1];
  }
  return pair_up(load(first), load(second));
}

#endif

// Numbers of an element of products: one, whatever it is stored as, or a pair of bf16.
template <class T>
constexpr int64_t kNumbers = std::is_same_v<T, BF16Pair> ? 2 : 1;

// sum + a * b, for elements of type T.
template <class T>
inline Vec add_product(Vec a, Vec b, Vec sum) {
  if constexpr (kNumbers<T> == 2) return dot(a, b, sum);
  return fma(a, b, sum);
}

// `count` numbers as pairs of bf16; the last one has a zero beside it where the count is odd.
inline void narrow(const float* from, int64_t count, float* to) {
  int64_t i = 0;
  for (; i + 2 * kWidth <= count; i += 2 * kWidth) store(to + i / 2, load_pairs(from + i));
  if (i == count) return;
  float rest[2 * kWidth] = {};
  for (int64_t j = i; j < count; j++) rest[j - i] = from[j];
  store_partial(to + i / 2, load_pairs(rest), static_cast<int>((count - i + 1) / 2));
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
