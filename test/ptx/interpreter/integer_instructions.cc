// Integer arithmetic, logic, moves and conversions.
#include "lanewise.h"

namespace tintype::ptx {

namespace {

using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using s8 = int8_t;
using s16 = int16_t;
using s32 = int32_t;
using s64 = int64_t;

u32 shift_count(u32 n, u32 bits) {
  return n < bits ? n : bits - 1;
}

u32 permute_bytes(u32 a, u32 b, u32 selector) {
  const u64 bytes = u64{b} << 32 | a;
  u32 result = 0;
  for (int k = 0; k < 4; k++) {
    const u32 s = selector >> (4 * k) & 15;
    u32 byte = bytes >> ((s & 7) * 8) & 255;
    if (s & 8) byte = byte & 128 ? 255 : 0;
    result |= byte << (8 * k);
  }
  return result;
}

u32 field_mask(u32 length) {
  return length > 31 ? ~0u : (1u << length) - 1;
}

u32 insert_field(u32 field, u32 into, u32 position, u32 length) {
  position &= 255;
  if (position > 31) return into;
  const u32 mask = field_mask(length & 255) << position;
  return (into & ~mask) | (field << position & mask);
}

// PTX ISA, dp2a: c + the halves of a by the two lowest bytes of b.
u32 dot_halves(u32 a, u32 b, u32 c) {
  return c + (a & 0xffff) * (b & 0xff) + (a >> 16) * (b >> 8 & 0xff);
}

u32 extract_field(u32 from, u32 position, u32 length) {
  position &= 255;
  return position > 31 ? 0 : from >> position & field_mask(length & 255);
}

u32 reverse_bits(u32 a) {
  u32 result = 0;
  for (int bit = 0; bit < 32; bit++) result |= (a >> bit & 1) << (31 - bit);
  return result;
}

u32 funnel_left(u32 low, u32 high, u32 n) {
  return static_cast<u32>(((u64{high} << 32 | low) << (n & 31)) >> 32);
}

void add_arithmetic_32(InstructionTable& t) {
  const Kind k = Kind::integer;
  define(t, k, {"add.s32", "add.u32"}, [](u32 a, u32 b) { return a + b; });
  define(t, k, {"sub.s32", "sub.u32"}, [](u32 a, u32 b) { return a - b; });
  define(t, k, {"mul.lo.s32", "mul.lo.u32"}, [](u32 a, u32 b) { return a * b; });
  define(t, k, {"mul.hi.s32"}, [](s32 a, s32 b) { return static_cast<s32>(s64{a} * b >> 32); });
  define(t, k, {"mul.hi.u32"}, [](u32 a, u32 b) { return static_cast<u32>(u64{a} * b >> 32); });
  define(t, k, {"mad.lo.s32", "mad.lo.u32"}, [](u32 a, u32 b, u32 c) { return a * b + c; });
  define(t, k, {"neg.s32"}, [](u32 a) { return 0u - a; });
  define(t, k, {"abs.s32"}, [](s32 a) { return a < 0 ? 0u - static_cast<u32>(a) : static_cast<u32>(a); });
  define(t, k, {"min.s32"}, [](s32 a, s32 b) { return a < b ? a : b; });
  define(t, k, {"max.s32"}, [](s32 a, s32 b) { return a > b ? a : b; });
  define(t, k, {"min.u32"}, [](u32 a, u32 b) { return a < b ? a : b; });
  define(t, k, {"max.u32"}, [](u32 a, u32 b) { return a > b ? a : b; });
  define(t, k, {"div.s32"},
         [](s32 a, s32 b) { return b == 0 || (b == -1) ? (b ? s32(0u - u32(a)) : -1) : a / b; });
  define(t, k, {"div.u32"}, [](u32 a, u32 b) { return b ? a / b : ~0u; });
  define(t, k, {"rem.s32"}, [](s32 a, s32 b) { return b == 0 || b == -1 ? 0 : a % b; });
  define(t, k, {"rem.u32"}, [](u32 a, u32 b) { return b ? a % b : a; });
}

void add_logic_32(InstructionTable& t) {
  const Kind k = Kind::integer;
  define(t, k, {"and.b32", "and.b16"}, [](u32 a, u32 b) { return a & b; });
  define(t, k, {"or.b32", "or.b16"}, [](u32 a, u32 b) { return a | b; });
  define(t, k, {"xor.b32", "xor.b16"}, [](u32 a, u32 b) { return a ^ b; });
  define(t, k, {"not.b32"}, [](u32 a) { return ~a; });
  define(t, k, {"shl.b32"}, [](u32 a, u32 n) { return n > 31 ? 0 : a << n; });
  define(t, k, {"shr.u32", "shr.b32"}, [](u32 a, u32 n) { return n > 31 ? 0 : a >> n; });
  define(t, k, {"shr.s32"}, [](s32 a, u32 n) { return a >> shift_count(n, 32); });
  define(t, k, {"shf.l.wrap.b32"}, [](u32 a, u32 b, u32 n) { return funnel_left(a, b, n); });
  define(t, k, {"popc.b32"}, [](u32 a) { return static_cast<u32>(std::popcount(a)); });
  define(t, k, {"clz.b32"}, [](u32 a) { return static_cast<u32>(std::countl_zero(a)); });
  define(t, k, {"bfind.shiftamt.u32"}, [](u32 a) { return a ? static_cast<u32>(std::countl_zero(a)) : ~0u; });
  define(t, k, {"brev.b32"}, [](u32 a) { return reverse_bits(a); });
  define(t, k, {"prmt.b32"}, [](u32 a, u32 b, u32 s) { return permute_bytes(a, b, s); });
  define(t, k, {"bfi.b32"}, [](u32 a, u32 b, u32 p, u32 n) { return insert_field(a, b, p, n); });
  // Products of two halves and two bytes; nvcc makes them of sums of small products.
  define(t, k, {"dp2a.lo.u32.u32"}, [](u32 a, u32 b, u32 c) { return dot_halves(a, b, c); });
  define(t, k, {"dp2a.hi.u32.u32"}, [](u32 a, u32 b, u32 c) { return dot_halves(a, b >> 16, c); });
  define(t, k, {"bfe.u32"}, [](u32 a, u32 p, u32 n) { return extract_field(a, p, n); });
}

void add_arithmetic_16(InstructionTable& t) {
  const Kind k = Kind::integer;
  define(t, k, {"add.s16", "add.u16"}, [](u16 a, u16 b) { return static_cast<u16>(a + b); });
  define(t, k, {"sub.s16", "sub.u16"}, [](u16 a, u16 b) { return static_cast<u16>(a - b); });
  define(t, k, {"mul.lo.s16", "mul.lo.u16"}, [](u16 a, u16 b) { return static_cast<u16>(u32{a} * b); });
  define(t, k, {"mul.hi.u16"}, [](u16 a, u16 b) { return static_cast<u16>(u32{a} * b >> 16); });
  define(t, k, {"mul.wide.u16"}, [](u16 a, u16 b) { return u32{a} * b; });
  define(t, k, {"mul.wide.s16"}, [](s16 a, s16 b) { return s32{a} * b; });
  define(t, k, {"shl.b16"}, [](u16 a, u32 n) { return static_cast<u16>(n > 15 ? 0 : a << n); });
  define(t, k, {"shr.u16"}, [](u16 a, u32 n) { return static_cast<u16>(n > 15 ? 0 : a >> n); });
  define(t, k, {"shr.s16"}, [](s16 a, u32 n) { return static_cast<s16>(a >> shift_count(n, 16)); });
  define(t, k, {"div.u16"}, [](u16 a, u16 b) { return static_cast<u16>(b ? a / b : ~0); });
  define(t, k, {"rem.u16"}, [](u16 a, u16 b) { return static_cast<u16>(b ? a % b : a); });
}

void add_arithmetic_64(InstructionTable& t) {
  const Kind k = Kind::integer;
  define(t, k, {"add.s64", "add.u64"}, [](u64 a, u64 b) { return a + b; });
  define(t, k, {"sub.s64", "sub.u64"}, [](u64 a, u64 b) { return a - b; });
  define(t, k, {"mul.lo.s64", "mul.lo.u64"}, [](u64 a, u64 b) { return a * b; });
  define(t, k, {"mad.lo.s64", "mad.lo.u64"}, [](u64 a, u64 b, u64 c) { return a * b + c; });
  define(t, k, {"neg.s64"}, [](u64 a) { return u64{0} - a; });
  define(t, k, {"min.s64"}, [](s64 a, s64 b) { return a < b ? a : b; });
  define(t, k, {"max.s64"}, [](s64 a, s64 b) { return a > b ? a : b; });
  define(t, k, {"min.u64"}, [](u64 a, u64 b) { return a < b ? a : b; });
  define(t, k, {"max.u64"}, [](u64 a, u64 b) { return a > b ? a : b; });
  define(t, k, {"div.s64"}, [](s64 a, s64 b) {
    return b == 0 ? s64{-1} : b == -1 ? s64(u64{0} - u64(a)) : a / b;
  });
  define(t, k, {"div.u64"}, [](u64 a, u64 b) { return b ? a / b : ~u64{0}; });
  define(t, k, {"rem.s64"}, [](s64 a, s64 b) { return b == 0 ? a : b == -1 ? s64{0} : a % b; });
  define(t, k, {"rem.u64"}, [](u64 a, u64 b) { return b ? a % b : a; });
  define(t, k, {"and.b64"}, [](u64 a, u64 b) { return a & b; });
  define(t, k, {"or.b64"}, [](u64 a, u64 b) { return a | b; });
  define(t, k, {"xor.b64"}, [](u64 a, u64 b) { return a ^ b; });
  define(t, k, {"not.b64"}, [](u64 a) { return ~a; });
  define(t, k, {"shl.b64"}, [](u64 a, u32 n) { return n > 63 ? 0 : a << n; });
  define(t, k, {"shr.u64", "shr.b64"}, [](u64 a, u32 n) { return n > 63 ? 0 : a >> n; });
  define(t, k, {"shr.s64"}, [](s64 a, u32 n) { return a >> shift_count(n, 64); });
  define(t, k, {"mul.wide.s32"}, [](s32 a, s32 b) { return s64{a} * b; });
  define(t, k, {"mul.wide.u32"}, [](u32 a, u32 b) { return u64{a} * b; });
  define(t, k, {"mad.wide.s32"}, [](s32 a, s32 b, s64 c) { return s64(u64(s64{a} * b) + u64(c)); });
  define(t, k, {"mad.wide.u32"}, [](u32 a, u32 b, u64 c) { return u64{a} * b + c; });
}

void add_moves(InstructionTable& t) {
  const Kind k = Kind::move;
  define(t, k, {"mov.u32", "mov.b32", "mov.s32", "mov.f32", "mov.b16", "mov.u16", "mov.s16"},
         [](u32 a) { return a; });
  // Global memory is where generic addresses say; so is shared memory, far above it.
  define(t, k, {"mov.u64", "mov.b64", "mov.s64", "cvta.to.global.u64", "cvta.global.u64", "cvta.param.u64"},
         [](u64 a) { return a; });
  define(t, k, {"cvta.shared.u64"}, [](u64 a) { return a + shared_window; });
  define(t, k, {"cvta.to.shared.u64"}, [](u64 a) { return a - shared_window; });
}

}  // namespace

void add_integer_instructions(InstructionTable& t) {
  add_arithmetic_32(t);
  add_logic_32(t);
  add_arithmetic_16(t);
  add_arithmetic_64(t);
  add_moves(t);
}

void convert_integer(Execution& x, const Instruction& i) {
  for (int l = 0; l < lanes; l++) {
    if (!x.has(l)) continue;
    u64 value = i.wide ? x.row<u64>(i.src[0])[l] : x.row<u32>(i.src[0])[l];
    const int unused = 64 - 8 * i.bytes;
    value <<= unused;
    value = i.is_signed ? static_cast<u64>(static_cast<s64>(value) >> unused) : value >> unused;
    if (i.count == 8) {
      x.row<u64>(i.dst[0])[l] = value;
    } else {
      x.row<u32>(i.dst[0])[l] = static_cast<u32>(value & (~u64{0} >> (64 - 8 * i.count)));
    }
  }
}

void pack_halves(Execution& x, const Instruction& i) {
  const u32 *low = x.row<u32>(i.src[0]), *high = x.row<u32>(i.src[1]);
  write_lanes(x, x.row<u32>(i.dst[0]), [&](int l) { return (low[l] & 0xffff) | high[l] << 16; });
}

void unpack_halves(Execution& x, const Instruction& i) {
  u32 both[lanes];
  std::memcpy(both, x.row<u32>(i.src[0]), sizeof both);
  write_lanes(x, x.row<u32>(i.dst[0]), [&](int l) { return both[l] & 0xffff; });
  write_lanes(x, x.row<u32>(i.dst[1]), [&](int l) { return both[l] >> 16; });
}

void pack_words(Execution& x, const Instruction& i) {
  const u32 *low = x.row<u32>(i.src[0]), *high = x.row<u32>(i.src[1]);
  write_lanes(x, x.row<u64>(i.dst[0]), [&](int l) { return u64{high[l]} << 32 | low[l]; });
}

void unpack_words(Execution& x, const Instruction& i) {
  const u64* both = x.row<u64>(i.src[0]);
  write_lanes(x, x.row<u32>(i.dst[0]), [&](int l) { return static_cast<u32>(both[l]); });
  write_lanes(x, x.row<u32>(i.dst[1]), [&](int l) { return static_cast<u32>(both[l] >> 32); });
}

}  // namespace tintype::ptx
