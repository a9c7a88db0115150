// How a packed weight lies in memory: panels of kPanel columns, each running through the whole depth k, row
// by row. A last panel that has no more than kWidth columns left is one vector wide, so that thin outputs
// waste little. Behind the panels of an int8 weight lie the scales of its columns.
#pragma once
#include "../pack.h"
#include "integers.h"
#include "pairs.h"
#include "simd.h"

namespace tintype::TINTYPE_ISA {
namespace {

constexpr int64_t kPanel = 2 * kWidth;

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
inline int64_t panel_elements(int64_t n, int64_t k) {
  const int64_t last = panel_count(n) - 1;
  return panel_offset(k, last) + panel_width(n, last) * k;
}

// In bytes, of an int8 weight.
inline int64_t scales_offset(int64_t n, int64_t k) {
  return ceil_div(panel_elements(n, k), 64) * 64;
}
// (n): what a column's products sum up to is to be multiplied by it. Null for floats.
inline const float* scales_of(const Weight& w, int64_t n, int64_t k) {
  if (w.dtype != DType::i8) return nullptr;
  return reinterpret_cast<const float*>(static_cast<const char*>(w.data) + scales_offset(n, k));
}

// `count` elements of a panel as they are multiplied: widened to `wide`, or where they lie.
template <class T>
const float* widen_panel(const T* w, int64_t count, float* wide) {
  for (int64_t i = 0; i < count; i += kWidth) store(wide + i, load(w + i));
  return wide;
}
inline const float* widen_panel(const float* w, int64_t, float*) {
  return w;
}
inline const BF16Pair* widen_panel(const BF16Pair* w, int64_t, float*) {
  return w;
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
