// How a packed weight lies in memory: panels of kPanel columns, each running through the whole depth k, row
// by row. A last panel that has no more than kWidth columns left is one vector wide, so that thin outputs
// waste little.
#pragma once
#include "../pack.h"
#include "simd.h"

namespace tintype::TINTYPE_ISA {
namespace {

constexpr int64_t kPanel = 2 * kWidth;

inline int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}
inline int64_t panel_count(int64_t n) {
  return ceil_div(n, kPanel);
}
inline int64_t panel_width(int64_t n, int64_t panel) {
  return n - panel * kPanel <= kWidth ? kWidth : kPanel;
}
// In elements, for the panel's first row.
inline int64_t panel_offset(int64_t k, int64_t panel) {
  return panel * kPanel * k;
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
