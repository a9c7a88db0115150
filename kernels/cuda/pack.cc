#include "pack.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tintype::cuda {

namespace {

float from_bf16(uint16_t bits) {
  return std::bit_cast<float>(uint32_t{bits} << 16);
}

uint16_t to_bf16(float value) {
  const uint32_t u = std::bit_cast<uint32_t>(value);
  if ((u & 0x7fffffff) > 0x7f800000) return 0x7fff;
  return static_cast<uint16_t>((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

// A subnormal half is a multiple of 2^-24; the exponents of others are 112 less than a float's.
float from_f16(uint16_t bits) {
  const uint32_t sign = uint32_t{bits} >> 15 << 31, exponent = bits >> 10 & 31, mantissa = bits & 0x3ff;
  if (exponent == 0) {
    const float value = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -value : value;
  }
  const uint32_t biased = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | biased << 23 | mantissa << 13);
}

uint16_t to_f16(float value) {
  const uint32_t u = std::bit_cast<uint32_t>(value), sign = u >> 31 << 15, magnitude = u & 0x7fffffff;
  if (magnitude > 0x7f800000) return static_cast<uint16_t>(sign | 0x7fff);
  if (magnitude >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00);  // 65520 and more
  if (magnitude < 0x38800000) {
    // Below 2^-14: adding 1/2 leaves the multiples of 2^-24 in the low bits, rounded to even.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000));
  }
  const uint32_t rounded = magnitude - (112u << 23) + 0xfff + (magnitude >> 13 & 1);
  return static_cast<uint16_t>(sign | rounded >> 13);
}

float read(const void* data, DType dtype, int64_t index) {
  if (dtype == DType::f32) return static_cast<const float*>(data)[index];
  const uint16_t half = static_cast<const uint16_t*>(data)[index];
  return dtype == DType::f16 ? from_f16(half) : from_bf16(half);
}

uint16_t write(float value, DType to) {
  return to == DType::f16 ? to_f16(value) : to_bf16(value);
}

// The row of the file that becomes row `row`.
int64_t source_row(int64_t row, int64_t rows, RowOrder order) {
  if (order == RowOrder::plain) return row;
  const int64_t turn = row / gate_rows;
  return turn % 2 * (rows / 2) + turn / 2 * gate_rows + row % gate_rows;
}

// A power of two that brings the largest product of weights and scales into [1/2, 1).
float factor_of(const PackMatrix& pack, const float* scale) {
  const auto [n, k, taps] = pack.shape;
  float largest = 0;
  for (int64_t i = 0; i < n * k; i++) {
    const float size = std::abs(read(pack.src, pack.dtype, i) * scale[i % k]);
    if (std::isfinite(size)) largest = std::max(largest, size);
  }
  int exponent = 0;
  std::frexp(largest, &exponent);
  return std::ldexp(1.f, std::clamp(-exponent, -100, 100));
}

// Which of the three taps along a row or a column meet pixel `at` of two.
struct Taps {
  int first, end;
};

Taps taps_at(int half, int at) {
  const int border = 1 + half;
  return at == 0 ? Taps{0, border} : Taps{border, 3};
}

}  // namespace

void pack_matrix(const PackMatrix& pack, DType to, RowOrder order) {
  const auto [n, k, taps] = pack.shape;
  const int64_t channels = k / taps, columns = packed_columns(k);
  auto* dst = static_cast<uint16_t*>(pack.dst);
  for (int64_t row = 0; row < n; row++) {
    for (int64_t column = 0; column < columns; column++) {
      const int64_t tap = column / channels, channel = column % channels;
      const int64_t from = source_row(row, n, order) * k + channel * taps + tap;
      dst[row * columns + column] = write(column < k ? read(pack.src, pack.dtype, from) : 0.f, to);
    }
  }
}

void fold_matrix(const PackMatrix& pack, DType to, RowOrder order, const NormVectors& norm) {
  const auto [n, k, taps] = pack.shape;
  const int64_t columns = packed_columns(k);
  const float factor = factor_of(pack, norm.scale);
  auto* dst = static_cast<uint16_t*>(pack.dst);
  auto* sums = reinterpret_cast<float*>(static_cast<char*>(pack.dst) + packed_bytes(pack.shape));
  float* shifts = sums + folded_rows(n);
  std::fill(sums, shifts + folded_rows(n), 0.f);
  shifts[folded_rows(n)] = 1.f / factor;
  for (int64_t row = 0; row < n; row++, dst += columns) {
    const int64_t from = source_row(row, n, order) * k;
    double sum = 0, shift = 0;
    for (int64_t column = 0; column < k; column++) {
      const float weight = read(pack.src, pack.dtype, from + column);
      dst[column] = write(weight * norm.scale[column] * factor, to);
      sum += read(dst, to, column);
      shift += static_cast<double>(weight) * norm.shift[column];
    }
    std::fill(dst + k, dst + columns, uint16_t{0});
    sums[row] = static_cast<float>(sum);
    shifts[row] = static_cast<float>(shift);
  }
}

void quarter_matrix(const PackMatrix& pack, DType to) {
  const auto [n, k, taps] = pack.shape;
  const int64_t channels = k / taps, columns = packed_columns(channels * quarter_taps);
  auto* row = static_cast<uint16_t*>(pack.dst);
  std::fill(row, row + quarters * n * columns, uint16_t{0});
  for (int64_t i = 0; i < quarters * n; i++, row += columns) {
    const int quarter = static_cast<int>(i / n);
    const int64_t from = i % n * k;
    for (int tap = 0; tap < quarter_taps; tap++) {
      const Taps down = taps_at(quarter / 2, tap / 2), right = taps_at(quarter % 2, tap % 2);
      for (int64_t channel = 0; channel < channels; channel++) {
        float sum = 0;
        for (int y = down.first; y < down.end; y++) {
          for (int x = right.first; x < right.end; x++) {
            sum += read(pack.src, pack.dtype, from + channel * taps + y * 3 + x);
          }
        }
        row[tap * channels + channel] = write(sum, to);
      }
    }
  }
}

void widen_vector(const void* src, DType dtype, float* dst, int64_t count) {
  for (int64_t i = 0; i < count; i++) dst[i] = read(src, dtype, i);
}

}  // namespace tintype::cuda
