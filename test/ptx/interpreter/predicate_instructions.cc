// Comparisons, selections and the logic of predicates.
#include "execution.h"
#include "instruction_set.h"

namespace tintype::ptx {

namespace {

template <class T, class F>
uint32_t compare_lanes(Execution& x, const Instruction& i, F holds) {
  const Row<T>*a = x.row<Row<T>>(i.src[0]), *b = x.row<Row<T>>(i.src[1]);
  uint32_t bits[lanes], mask = 0;
  for (int l = 0; l < lanes; l++) bits[l] = holds(from_row<T>(a[l]), from_row<T>(b[l]));
  for (int l = 0; l < lanes; l++) mask |= bits[l] << l;
  return mask;
}

template <class T>
uint32_t comparison(Execution& x, const Instruction& i) {
  const auto by = [&](auto holds) { return compare_lanes<T>(x, i, holds); };
  switch (static_cast<Comparison>(i.variant)) {
    case Comparison::eq:
      return by([](T a, T b) { return a == b; });
    case Comparison::ne:
      return by([](T a, T b) { return a < b || a > b; });
    case Comparison::lt:
      return by([](T a, T b) { return a < b; });
    case Comparison::le:
      return by([](T a, T b) { return a <= b; });
    case Comparison::gt:
      return by([](T a, T b) { return a > b; });
    case Comparison::ge:
      return by([](T a, T b) { return a >= b; });
    case Comparison::equ:
      return by([](T a, T b) { return !(a < b || a > b); });
    case Comparison::neu:
      return by([](T a, T b) { return !(a == b); });
    case Comparison::ltu:
      return by([](T a, T b) { return !(a >= b); });
    case Comparison::leu:
      return by([](T a, T b) { return !(a > b); });
    case Comparison::gtu:
      return by([](T a, T b) { return !(a <= b); });
    case Comparison::geu:
      return by([](T a, T b) { return !(a < b); });
    case Comparison::num:
      return by([](T a, T b) { return a == a && b == b; });
    case Comparison::nan:
      return by([](T a, T b) { return a != a || b != b; });
  }
  fail(x, i, "unknown comparison");
}

template <class T>
void set_predicates(Execution& x, const Instruction& i) {
  uint32_t result = comparison<T>(x, i), other = 0;
  if (i.predicate_src >= 0) other = x.predicate(i.predicate_src);
  uint32_t negated = ~result;
  switch (static_cast<Combination>(i.count)) {
    case Combination::none:
      break;
    case Combination::conjunction:
      result &= other;
      negated &= other;
      break;
    case Combination::disjunction:
      result |= other;
      negated |= other;
      break;
    case Combination::exclusive:
      result ^= other;
      negated ^= other;
  }
  x.set_predicate(i.predicate_dst, result);
  if (i.predicate_dst2 >= 0) x.set_predicate(i.predicate_dst2, negated);
}

template <class R>
void select(Execution& x, const Instruction& i) {
  const uint32_t p = x.predicate(i.predicate_src);
  const R *a = x.row<R>(i.src[0]), *b = x.row<R>(i.src[1]);
  write_lanes(x, x.row<R>(i.dst[0]), [&](int l) { return p >> l & 1 ? a[l] : b[l]; });
}

}  // namespace

Handler compare(const std::string& type) {
  if (type == "f32") return set_predicates<float>;
  if (type == "s32") return set_predicates<int32_t>;
  if (type == "u32" || type == "b32") return set_predicates<uint32_t>;
  if (type == "s64") return set_predicates<int64_t>;
  if (type == "u64" || type == "b64") return set_predicates<uint64_t>;
  if (type == "s16") return set_predicates<int16_t>;
  if (type == "u16" || type == "b16") return set_predicates<uint16_t>;
  return nullptr;
}

void select32(Execution& x, const Instruction& i) {
  select<uint32_t>(x, i);
}
void select64(Execution& x, const Instruction& i) {
  select<uint64_t>(x, i);
}

void combine_predicates(Execution& x, const Instruction& i) {
  // Constants are all or nothing: `flag` and `immediate`.
  const uint32_t a = i.flag ? static_cast<uint32_t>(i.immediate) : x.predicate(i.predicate_src);
  const uint32_t b = i.predicate_src2 >= 0 ? x.predicate(i.predicate_src2) : 0;
  switch (static_cast<PredicateOp>(i.variant)) {
    case PredicateOp::conjunction:
      return x.set_predicate(i.predicate_dst, a & b);
    case PredicateOp::disjunction:
      return x.set_predicate(i.predicate_dst, a | b);
    case PredicateOp::exclusive:
      return x.set_predicate(i.predicate_dst, a ^ b);
    case PredicateOp::negation:
      return x.set_predicate(i.predicate_dst, ~a);
    case PredicateOp::copy:
      return x.set_predicate(i.predicate_dst, a);
  }
}

}  // namespace tintype::ptx
