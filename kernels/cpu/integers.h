// Arithmetic of sizes.
#pragma once
#include <cstdint>

namespace tintype::TINTYPE_ISA {
namespace {

constexpr int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}
constexpr int64_t round_up(int64_t a, int64_t to) {
  return ceil_div(a, to) * to;
}
constexpr int64_t min(int64_t a, int64_t b) {
  return a < b ? a : b;
}
constexpr int64_t max(int64_t a, int64_t b) {
  return a > b ? a : b;
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
