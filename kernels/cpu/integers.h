// Arithmetic of sizes.
#pragma once
#include <cstdint>

namespace tintype::TINTYPE_ISA {
namespace {

inline int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}
inline int64_t round_up(int64_t a, int64_t to) {
  return ceil_div(a, to) * to;
}
inline int64_t min(int64_t a, int64_t b) {
  return a < b ? a : b;
}
inline int64_t max(int64_t a, int64_t b) {
  return a > b ? a : b;
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
