// Packs matrix weights from the file's layout into the panels of gemm_panels.h, as they are, in int8 or in
// pairs of bf16, and widens vectors. All run once per weight and are bound by memory.
#include "../pack.h"

#include <cstring>

#include "elementwise.h"
#include "gemm_panels.h"
#include "integers.h"
#include "pairs.h"
#include "parallel.h"

namespace tintype::TINTYPE_ISA {
namespace {

// A block of one row of the source is a few cache lines; its panel rows then stay in L1 until all columns are
// in.
constexpr int64_t kBlock = 32;

// src: (columns, c, taps), columns `stride` apart; dst: (taps, c, width), columns past the end zero.
template <class T>
void pack_panel(const T* src, int64_t stride, T* dst, int64_t columns, int64_t width,
                const MatrixShape& shape) {
  const int64_t c = shape.k / shape.taps;
  for (int64_t first = 0; first < c; first += kBlock) {
    const int64_t last = first + kBlock < c ? first + kBlock : c;
    for (int64_t column = 0; column < columns; column++) {
      const T* from = src + column * stride + first * shape.taps;
      for (int64_t channel = first; channel < last; channel++) {
        for (int64_t tap = 0; tap < shape.taps; tap++) dst[(tap * c + channel) * width + column] = *from++;
      }
    }
  }
  if (columns == width) return;
  for (int64_t k = 0; k < shape.k; k++) {
    for (int64_t column = columns; column < width; column++) dst[k * width + column] = 0;
  }
}

template <class T>
void pack_panels(const PackMatrix& p, const Exec& exec) {
  const int64_t n = p.shape.n, k = p.shape.k;
  parallel_for(exec, panel_count(n), [&](int64_t panel, int) {
    const int64_t first = panel * kPanel;
    const int64_t columns = n - first < kPanel ? n - first : kPanel;
    const T* src = static_cast<const T*>(p.src) + first * k;
    T* dst = static_cast<T*>(p.dst) + panel_offset(k, panel);
    pack_panel(src, k, dst, columns, panel_width(n, panel), p.shape);
  });
}

// 0 for a row of zeros, NaN where an element is not finite.
template <class T>
float scale_of(const T* row, int64_t k) {
  Vec largest = broadcast(0), nothing = broadcast(0);
  each_vector(0, k, [&](int64_t i, auto lanes) {
    const Vec x = lanes.load(row + i);
    largest = max(largest, abs(x));
    nothing = fma(x, broadcast(0), nothing);
  });
  return reduce_max(largest) / 127 + reduce_add(nothing);
}

inline void store_bytes(Vec integers, uint8_t* to, int count) {
  float lanes[kWidth];
  store(lanes, integers);
  for (int i = 0; i < count; i++) to[i] = static_cast<uint8_t>(static_cast<int8_t>(lanes[i]));
}

// In place: no byte is written before the element that lay there has been read.
template <class T>
void quantize_row(T* row, int64_t k, float scale) {
  auto* bytes = reinterpret_cast<uint8_t*>(row);
  if (!(scale > 0)) {
    for (int64_t i = 0; i < k; i++) bytes[i] = 0;
    return;
  }
  // A subnormal scale is rounded so much that quotients may be beyond 127.
  const auto quantize = [=](Vec x) {
    const Vec steps = x / broadcast(scale);
    return to_float(round_to_int(min(broadcast(127), max(broadcast(-127), steps))));
  };
  int64_t i = 0;
  for (; i + kWidth <= k; i += kWidth) store_bytes(quantize(load(row + i)), bytes + i, kWidth);
  const int rest = static_cast<int>(k - i);
  if (rest > 0) store_bytes(quantize(load_partial(row + i, rest)), bytes + i, rest);
}

template <class T>
void quantize_panels(const QuantizeMatrix& q, float* scales, const Exec& exec) {
  const int64_t n = q.shape.n, k = q.shape.k;
  parallel_for(exec, panel_count(n), [&](int64_t panel, int) {
    const int64_t first = panel * kPanel;
    const int64_t columns = n - first < kPanel ? n - first : kPanel;
    T* src = static_cast<T*>(q.src) + first * k;
    for (int64_t column = 0; column < columns; column++) {
      T* row = src + column * k;
      scales[first + column] = scale_of(row, k);
      quantize_row(row, k, scales[first + column]);
    }
    uint8_t* dst = static_cast<uint8_t*>(q.dst) + panel_offset(k, panel);
    pack_panel(reinterpret_cast<const uint8_t*>(src), k * static_cast<int64_t>(sizeof(T)), dst, columns,
               panel_width(n, panel), q.shape);
  });
}

template <class T>
void widen_elements(const T* src, float* dst, int64_t count) {
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store(dst + i, load(src + i));
  const int rest = static_cast<int>(count - i);
  if (rest > 0) store_partial(dst + i, load_partial(src + i, rest), rest);
}

// dst: (k / 2, width) pairs, columns past the end zero.
template <class T>
void pack_panel_of_pairs(const T* src, int64_t k, BF16Pair* dst, int64_t columns, int64_t width) {
  const int64_t pairs = k / 2;
  for (int64_t first = 0; first < pairs; first += kWidth) {
    const int64_t count = min(kWidth, pairs - first);
    for (int64_t column = 0; column < width; column++) {
      float numbers[2 * kWidth] = {}, bits[kWidth];
      if (column < columns) widen_elements(src + column * k + 2 * first, numbers, 2 * count);
      narrow(numbers, 2 * kWidth, bits);
      for (int64_t i = 0; i < count; i++) {
        std::memcpy(dst + (first + i) * width + column, bits + i, sizeof(BF16Pair));
      }
    }
  }
}

}  // namespace

size_t packed_bytes(const MatrixShape& shape, DType dtype) {
  const auto [n, k, taps] = shape;
  if (dtype == DType::i8)
    return static_cast<size_t>(scales_offset(n, k)) + static_cast<size_t>(n) * sizeof(float);
  if (dtype == DType::bf16_pairs) return static_cast<size_t>(panel_elements(n, k / 2)) * sizeof(BF16Pair);
  return static_cast<size_t>(panel_elements(n, k)) * (dtype == DType::f32 ? 4 : 2);
}

void pack_matrix(const PackMatrix& matrix, const Exec& exec) {
  // Packing moves bits: a 16-bit float is a 16-bit integer here.
  if (matrix.dtype == DType::f32) return pack_panels<uint32_t>(matrix, exec);
  pack_panels<uint16_t>(matrix, exec);
}

void pack_pairs(const PackMatrix& matrix, const Exec& exec) {
  const int64_t n = matrix.shape.n, k = matrix.shape.k;
  with_elements({matrix.src, matrix.dtype}, [&](auto* src) {
    parallel_for(exec, panel_count(n), [&](int64_t panel, int) {
      const int64_t first = panel * kPanel;
      BF16Pair* dst = static_cast<BF16Pair*>(matrix.dst) + panel_offset(k / 2, panel);
      pack_panel_of_pairs(src + first * k, k, dst, min(n - first, kPanel), panel_width(n, panel));
    });
  });
}

bool quantize_matrix(const QuantizeMatrix& matrix, const Exec& exec) {
  const auto [n, k, taps] = matrix.shape;
  auto* scales = reinterpret_cast<float*>(static_cast<char*>(matrix.dst) + scales_offset(n, k));
  if (matrix.dtype == DType::f16) {
    quantize_panels<F16>(matrix, scales, exec);
  } else if (matrix.dtype == DType::bf16) {
    quantize_panels<BF16>(matrix, scales, exec);
  } else {
    quantize_panels<float>(matrix, scales, exec);
  }
  for (int64_t i = 0; i < n; i++) {
    if (!(scales[i] >= 0)) return false;
  }
  return true;
}

void widen_vector(const void* src, DType dtype, float* dst, int64_t count) {
  with_elements({src, dtype}, [=](auto* elements) { widen_elements(elements, dst, count); });
}

}  // namespace tintype::TINTYPE_ISA
