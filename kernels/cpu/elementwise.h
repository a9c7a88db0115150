// Walks elements a vector at a time; the last, partial vector runs the same code.
#pragma once
#include "parallel.h"
#include "simd.h"

namespace tintype::TINTYPE_ISA {
namespace {

struct AllLanes {
  template <class T>
  Vec load(const T* p) const {
    return TINTYPE_ISA::load(p);
  }
  void store(float* p, Vec a) const { TINTYPE_ISA::store(p, a); }
};

struct FirstLanes {
  int count;
  template <class T>
  Vec load(const T* p) const {
    return load_partial(p, count);
  }
  void store(float* p, Vec a) const { store_partial(p, a, count); }
};

// body(i, lanes) for each vector of [first, last): it loads and stores at i through `lanes`.
template <class F>
inline void each_vector(int64_t first, int64_t last, const F& body) {
  int64_t i = first;
  for (; i + kWidth <= last; i += kWidth) body(i, AllLanes{});
  if (i < last) body(i, FirstLanes{static_cast<int>(last - i)});
}

// The same over [0, count), in parallel.
template <class F>
inline void parallel_vectors(const Exec& exec, int64_t count, const F& body) {
  parallel_chunks(exec, count, kChunk, [&](int64_t first, int64_t last) { each_vector(first, last, body); });
}

// body(row) for each of `rows` rows of `width` elements, in parallel.
template <class F>
inline void parallel_rows(const Exec& exec, int64_t rows, int64_t width, const F& body) {
  parallel_chunks(exec, rows, rows_per_chunk(width), [&](int64_t first, int64_t last) {
    for (int64_t row = first; row < last; row++) body(row);
  });
}

inline void copy(const float* from, float* to, int64_t count) {
  each_vector(0, count, [=](int64_t i, auto lanes) { lanes.store(to + i, lanes.load(from + i)); });
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
