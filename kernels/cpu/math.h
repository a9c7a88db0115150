// Exponential, normal distribution and activations on vectors, and double-precision scalars for the few
// numbers of a timestep embedding: kernels call no libm, whose symbol versions would tie the addon to a new
// glibc.
#pragma once
#include "several.h"

namespace tintype::TINTYPE_ISA {
namespace {

// x coefficient-first: c0 + c1 x + c2 x^2 + ...
template <class V, class... Rest>
TINTYPE_INLINE V polynomial(const V& x, float c0, Rest... rest) {
  if constexpr (sizeof...(rest) == 0) {
    return all<V>(c0);
  } else {
    return fma(polynomial(x, rest...), x, all<V>(c0));
  }
}

template <class Ints>
TINTYPE_INLINE auto power_of_two(const Ints& n) {
  using V = decltype(from_bits(n));
  return from_bits(shift_left<23>(n + all_ints<V>(127)));
}

// e^x to 1 ulp: x = n ln2 + r with ln2 in two parts, then a minimax polynomial on |r| <= ln2 / 2 (3e-9
// relative). 2^n is applied in two factors, so that subnormal results are rounded once and overflow gives
// inf. NaN stays NaN.
template <class V>
TINTYPE_INLINE V exp(V x) {
  x = max(all<V>(-104.0f), min(all<V>(89.0f), x));
  const auto n = round_to_int(x * all<V>(1.44269504f));
  const V whole = to_float(n);
  const V r = fnma(whole, all<V>(-2.12194440e-4f), fnma(whole, all<V>(0.693359375f), x));
  const V q =
      polynomial(r, 0.4999999404f, 0.16666521132f, 0.041668388993f, 0.0083687165752f, 0.00138145987876f);
  const V y = fma(r * r, q, r) + all<V>(1.0f);
  const auto half = shift_right<1>(n);
  return y * power_of_two(half) * power_of_two(n - half);
}

// 2^f for |f| <= 1/2, to 2e-9 relative (minimax).
template <class V>
TINTYPE_INLINE V exp2_of_fraction(const V& f) {
  return polynomial(f, 1.0f, 0.69314718246f, 0.24022647738f, 0.05550332367f, 0.00961843692f, 0.0013398875f,
                    0.00015353362f);
}

// 2^x for x <= 0, to 1 ulp down to 2^-126 and 0 below: the weights of a softmax. Adding 1.5 * 2^23 leaves n =
// round(x) in the low bits of the sum. NaN stays NaN.
template <class V>
TINTYPE_INLINE V exp2_of_negative(V x) {
  x = max(all<V>(-127.0f), x);
  const V magic = all<V>(0x1.8p23f);
  const V shifted = x + magic;
  const V y = exp2_of_fraction(x - (shifted - magic));
  return y * from_bits(shift_left<23>(bits_of(shifted)) + all_ints<V>(0x3f800000));
}

// 1 + 2^x to 1 ulp, x with an error of its own: 2^-126 beside 1 is nothing, beyond 2^128 is infinity.
template <class V>
TINTYPE_INLINE V one_and_exp2(V x) {
  x = min(all<V>(128.0f), max(all<V>(-126.0f), x));
  const V n = round(x);
  return all<V>(1.0f) + scale_by_power(exp2_of_fraction(x - n), n);
}

// x Phi(x), by Phi(-a) = e^(-a^2/2) (1/2 - a G(s) / (a + 3.5)) with s = (a - 3.5) / (a + 3.5): what is
// approximated vanishes at 0, where most of the values lie. G is minimax to 4e-8 of Phi for a <= 14.5;
// beyond, e^(-a^2/2) is 0.
template <class V>
TINTYPE_INLINE V gelu(const V& x) {
  const V a = min(abs(x), all<V>(20.0f));
  const V t = all<V>(1.0f) / (a + all<V>(3.5f));
  const V s = fnma(all<V>(7.0f), t, all<V>(1.0f));
  const V g = polynomial(s, 0.78730970621f, -0.41303035616f, 0.16132071614f, -0.038040224463f,
                         -0.00010292914521f, 0.0032083105762f, -0.00039946200559f, -0.00030630556284f);
  const V tail = exp(a * a * all<V>(-0.5f)) * fnma(a * t, g, all<V>(0.5f));
  return x * select(x < all<V>(0.0f), tail, all<V>(1.0f) - tail);
}

inline float square_root(float x) {
  float lanes[kWidth];
  store(lanes, sqrt(broadcast(x)));
  return lanes[0];
}

// x / (1 + e^-x) and x / (1 + e^-1.702x). What rounding -x log2(e) does to the power is, beside 1, an ulp of
// the result; far below 0, where the power is all there is, it is 1e-6 of a result that is next to nothing.
template <class V>
TINTYPE_INLINE V silu(const V& x) {
  return x / one_and_exp2(x * all<V>(-1.44269504f));
}
template <class V>
TINTYPE_INLINE V quick_gelu(const V& x) {
  return x / one_and_exp2(x * all<V>(-1.702f * 1.44269504f));
}

template <Activation kind, class V>
TINTYPE_INLINE V activate(const V& x) {
  if constexpr (kind == Activation::silu) return silu(x);
  if constexpr (kind == Activation::gelu) return gelu(x);
  if constexpr (kind == Activation::quick_gelu) return quick_gelu(x);
  return x;
}

inline Vec apply(Activation kind, Vec x) {
  switch (kind) {
    case Activation::silu:
      return silu(x);
    case Activation::gelu:
      return gelu(x);
    case Activation::quick_gelu:
      return quick_gelu(x);
    case Activation::none:
      break;
  }
  return x;
}

template <Activation kind>
struct ActivationTag {
  static constexpr Activation value = kind;
};

// Calls f with the activation as a type: loops are compiled once for each.
template <class F>
inline void with_activation(Activation kind, const F& f) {
  switch (kind) {
    case Activation::silu:
      return f(ActivationTag<Activation::silu>{});
    case Activation::gelu:
      return f(ActivationTag<Activation::gelu>{});
    case Activation::quick_gelu:
      return f(ActivationTag<Activation::quick_gelu>{});
    case Activation::none:
      return f(ActivationTag<Activation::none>{});
  }
}

// floor() would be a call of libm where SSE4.1 is missing.
inline int64_t nearest(double x) {
  return static_cast<int64_t>(x < 0 ? x - 0.5 : x + 0.5);
}

// Double-precision e^x for |x| < 700: Taylor series on |r| <= ln2 / 2, 1e-16.
inline double exp_double(double x) {
  const int64_t power = nearest(x * 1.4426950408889634);
  const double n = static_cast<double>(power);
  const double r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  double sum = 1.0;
  for (int i = 14; i > 0; i--) sum = 1.0 + sum * r / i;
  return sum * __builtin_bit_cast(double, (power + 1023) << 52);
}

struct SinCos {
  double sin, cos;
};

// Reduction by pi/2 in parts of 33 bits (as fdlibm does: exact for |x| < 1.6e6, and a timestep is at most
// some thousands), then Taylor series on |r| <= pi/4, 1e-16. What is not |x| < 1e9 gives NaN.
inline SinCos sin_cos_double(double x) {
  if (!(x < 1e9 && x > -1e9)) return {__builtin_nan("0"), __builtin_nan("0")};
  const int64_t turns = nearest(x * 0.63661977236758134308);
  const double n = static_cast<double>(turns);
  const double r = ((x - n * 1.57079632673412561417e+00) - n * 6.07710050630396597660e-11) -
                   n * 2.02226624879595063154e-21;
  const double square = r * r;
  double sin = 1.0;
  double cos = 1.0;
  for (int i = 18; i > 0; i -= 2) {
    sin = 1.0 - sin * square / (i * (i + 1));
    cos = 1.0 - cos * square / (i * (i - 1));
  }
  sin *= r;
  const int64_t quarter = turns & 3;
  const double s = quarter & 1 ? cos : sin;
  const double c = quarter & 1 ? sin : cos;
  return {quarter & 2 ? -s : s, quarter == 1 || quarter == 2 ? -c : c};
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
