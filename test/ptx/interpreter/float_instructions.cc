// Float arithmetic and conversions. What hardware approximates is computed to float precision here: kernels
// must not be judged to less than the documented error of the approximations (2 ulp or so).
#include <cmath>

#include "half.h"
#include "lanewise.h"

namespace tintype::ptx {

namespace {

using u16 = uint16_t;
using u32 = uint32_t;
using s32 = int32_t;

// Vector code where std::exp2 is a call: polynomial over [-1/2, 1/2], results below 2^-126 become 0.
float exp2_flushed(float x) {
  const float clamped = x < -150.f ? -150.f : x > 128.f ? 128.f : x;
  const float whole = __builtin_rintf(clamped);
  const float r = clamped - whole;
  float p = 1.535336188319500e-4f;
  p = p * r + 1.339887440266574e-3f;
  p = p * r + 9.618437357674640e-3f;
  p = p * r + 5.550332471162809e-2f;
  p = p * r + 2.402264791363012e-1f;
  p = p * r + 6.931472028550421e-1f;
  p = p * r + 1.f;
  const int e = static_cast<int>(whole);
  const float scale = std::bit_cast<float>(e < -126 ? 0u : static_cast<u32>(e + 127) << 23);
  const float y = e >= 128 ? INFINITY : p * scale;
  return x != x ? x : y;
}

// a * b + c, rounded towards minus infinity: the product is exact in double, the sum's error is known.
float fma_down(float a, float b, float c) {
  const double product = static_cast<double>(a) * b, sum = product + c;
  const double taken = sum - product, error = (product - (sum - taken)) + (c - taken);
  const float y = static_cast<float>(sum);
  return y > sum || (y == sum && error < 0) ? __builtin_nextafterf(y, -INFINITY) : y;
}

s32 to_s32(float a) {
  if (a != a) return 0;
  return a >= 2147483648.f ? INT_MAX : a <= -2147483648.f ? INT_MIN : static_cast<s32>(a);
}

u32 to_u32(float a) {
  return !(a > 0) ? 0 : a >= 4294967296.f ? ~0u : static_cast<u32>(a);
}

u32 pair(u16 high, u16 low) {
  return u32{high} << 16 | low;
}

void add_arithmetic(InstructionTable& t) {
  const Kind k = Kind::floating;
  define(t, k, {"add.f32"}, [](float a, float b) { return a + b; });
  define(t, k, {"sub.f32"}, [](float a, float b) { return a - b; });
  define(t, k, {"mul.f32"}, [](float a, float b) { return a * b; });
  define(t, k, {"fma.f32"}, [](float a, float b, float c) { return __builtin_fmaf(a, b, c); });
  define(t, k, {"fma.rm.f32"}, [](float a, float b, float c) { return fma_down(a, b, c); });
  define(t, k, {"neg.f32"}, [](float a) { return -a; });
  define(t, k, {"abs.f32"}, [](float a) { return __builtin_fabsf(a); });
  // The one that is a number, if the other is none.
  define(t, k, {"max.f32"}, [](float a, float b) { return a != a ? b : b != b ? a : a > b ? a : b; });
  define(t, k, {"min.f32"}, [](float a, float b) { return a != a ? b : b != b ? a : a < b ? a : b; });
  define(t, k, {"copysign.f32"}, [](float a, float b) { return __builtin_copysignf(b, a); });
}

void add_special_functions(InstructionTable& t) {
  const Kind k = Kind::special;
  define(t, k, {"div.f32"}, [](float a, float b) { return a / b; });
  define(t, k, {"rcp.f32"}, [](float a) { return 1.f / a; });
  define(t, k, {"sqrt.f32"}, [](float a) { return std::sqrt(a); });
  define(t, k, {"rsqrt.f32"},
         [](float a) { return static_cast<float>(1 / std::sqrt(static_cast<double>(a))); });
  define(t, k, {"ex2.f32"}, [](float a) { return exp2_flushed(a); });
  define(t, k, {"lg2.f32"}, [](float a) { return std::log2(a); });
  define(t, k, {"sin.f32"}, [](float a) { return std::sin(a); });
  define(t, k, {"cos.f32"}, [](float a) { return std::cos(a); });
  define(t, k, {"tanh.f32"}, [](float a) { return std::tanh(a); });
}

void add_conversions(InstructionTable& t) {
  const Kind k = Kind::move;
  define(t, k, {"cvt.f32.s32"}, [](s32 a) { return static_cast<float>(a); });
  define(t, k, {"cvt.f32.u32"}, [](u32 a) { return static_cast<float>(a); });
  define(t, k, {"cvt.f32.u16"}, [](u16 a) { return static_cast<float>(a); });
  define(t, k, {"cvt.f32.s64"}, [](int64_t a) { return static_cast<float>(a); });
  define(t, k, {"cvt.sat.f32.f32"}, [](float a) { return a > 0 ? a < 1 ? a : 1.f : 0.f; });
  define(t, k, {"cvt.rni.f32.f32"}, [](float a) { return __builtin_rintf(a); });
  define(t, k, {"cvt.rmi.f32.f32"}, [](float a) { return __builtin_floorf(a); });
  define(t, k, {"cvt.rzi.f32.f32"}, [](float a) { return __builtin_truncf(a); });
  define(t, k, {"cvt.rzi.s32.f32"}, [](float a) { return to_s32(a); });
  define(t, k, {"cvt.rni.s32.f32"}, [](float a) { return to_s32(__builtin_rintf(a)); });
  define(t, k, {"cvt.rmi.s32.f32"}, [](float a) { return to_s32(__builtin_floorf(a)); });
  define(t, k, {"cvt.rzi.u32.f32"}, [](float a) { return to_u32(a); });
  define(t, k, {"cvt.rni.u32.f32"}, [](float a) { return to_u32(__builtin_rintf(a)); });
  define(t, k, {"cvt.f32.f16"}, [](u16 a) { return from_f16(a); });
  define(t, k, {"cvt.f16.f32"}, [](float a) { return to_f16(a); });
  define(t, k, {"cvt.f32.bf16"}, [](u16 a) { return from_bf16(a); });
  define(t, k, {"cvt.bf16.f32"}, [](float a) { return to_bf16(a); });
  define(t, k, {"cvt.f16x2.f32"}, [](float a, float b) { return pair(to_f16(a), to_f16(b)); });
  define(t, k, {"cvt.bf16x2.f32"}, [](float a, float b) { return pair(to_bf16(a), to_bf16(b)); });
}

}  // namespace

void add_float_instructions(InstructionTable& t) {
  add_arithmetic(t);
  add_special_functions(t);
  add_conversions(t);
}

const InstructionTable& lanewise_instructions() {
  static const InstructionTable table = [] {
    InstructionTable t;
    add_integer_instructions(t);
    add_float_instructions(t);
    return t;
  }();
  return table;
}

}  // namespace tintype::ptx
