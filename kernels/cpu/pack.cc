// Packs matrix weights from the file's layout into the panels of gemm_panels.h, and widens vectors. Both run
// once per weight and are bound by memory.
#include "../pack.h"

#include "gemm_panels.h"
#include "parallel.h"

namespace tintype::TINTYPE_ISA {
namespace {

// A block of one row of the source is a few cache lines; its panel rows then stay in L1 until all columns are
// in.
constexpr int64_t kBlock = 32;

// src: (columns, c, taps), dst: (taps, c, width), columns past the end zero.
template <class T>
void pack_panel(const T* src, T* dst, int64_t columns, int64_t width, const MatrixShape& shape) {
  const int64_t c = shape.k / shape.taps;
  for (int64_t first = 0; first < c; first += kBlock) {
    const int64_t last = first + kBlock < c ? first + kBlock : c;
    for (int64_t column = 0; column < columns; column++) {
      const T* from = src + column * shape.k + first * shape.taps;
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
  const auto [n, k, taps] = p.shape;
  parallel_for(exec, panel_count(n), [&](int64_t panel, int) {
    const int64_t first = panel * kPanel;
    const int64_t columns = n - first < kPanel ? n - first : kPanel;
    const T* src = static_cast<const T*>(p.src) + first * k;
    T* dst = static_cast<T*>(p.dst) + panel_offset(k, panel);
    pack_panel(src, dst, columns, panel_width(n, panel), p.shape);
  });
}

template <class T>
void widen_elements(const T* src, float* dst, int64_t count) {
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store(dst + i, load(src + i));
  const int rest = static_cast<int>(count - i);
  if (rest > 0) store_partial(dst + i, load_partial(src + i, rest), rest);
}

}  // namespace

size_t packed_bytes(const MatrixShape& shape, DType dtype) {
  const int64_t last = panel_count(shape.n) - 1;
  const int64_t elements = panel_offset(shape.k, last) + panel_width(shape.n, last) * shape.k;
  return static_cast<size_t>(elements) * (dtype == DType::f32 ? 4 : 2);
}

void pack_matrix(const PackMatrix& matrix, const Exec& exec) {
  // Packing moves bits: a 16-bit float is a 16-bit integer here.
  if (matrix.dtype == DType::f32) return pack_panels<uint32_t>(matrix, exec);
  pack_panels<uint16_t>(matrix, exec);
}

void widen_vector(const void* src, DType dtype, float* dst, int64_t count) {
  with_elements({src, dtype}, [=](auto* elements) { widen_elements(elements, dst, count); });
}

}  // namespace tintype::TINTYPE_ISA
