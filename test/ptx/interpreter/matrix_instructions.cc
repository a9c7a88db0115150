// ldmatrix and mma.sync: the fragment layouts of the PTX manual, sums in float32 from the first product to
// the last. Sums in fp16 are rounded to nearest even after each eight products, which is as often as m16n8k8
// must and at least as often as m16n8k16. Tensor cores align and truncate the products of one instruction
// before they add them, and NVIDIA does not say how often they round; that is not modelled.
#include "half.h"
#include "instruction_set.h"
#include "memory_access.h"
#include "memory_traffic.h"

namespace tintype::ptx {

namespace {

constexpr int side = 8;  // of the matrices that fragments are made of

void need_whole_warp(const Execution& x, const Instruction& i, const char* what) {
  if (x.mask != all_lanes) fail(x, i, std::string(what) + " executed by a part of the warp");
}

// A fragment register of all lanes holds an 8x8 matrix, row by row.
template <bool Bf16>
void widen_fragment(const uint32_t* words, float* matrix) {
  for (int row = 0; row < side; row++) widen_eight<Bf16>(words + row * 4, matrix + row * side);
}

// Lane 4g + t holds columns 2t and 2t + 1 of rows g (first two registers) and g + 8 (last two).
template <class F>
void for_accumulators(F f) {
  for (int l = 0; l < lanes; l++) {
    for (int r = 0; r < 4; r++) f(l, r, l / 4 + r / 2 * side, l % 4 * 2 + r % 2);
  }
}

// What an instruction multiplies: rows of A, and B by its rows.
template <bool Bf16, int Depth>
struct Factors {
  alignas(32) float a[2 * Depth][side * side], b[Depth * side][side];

  Factors(Execution& x, const Instruction& i) {
    for (int q = 0; q < 2 * Depth; q++) widen_fragment<Bf16>(x.row<uint32_t>(i.src[q]), a[q]);
    for (int q = 0; q < Depth; q++) {
      alignas(32) float columns[side * side];
      widen_fragment<Bf16>(x.row<uint32_t>(i.src[2 * Depth + q]), columns);
      for (int n = 0; n < side; n++) {
        for (int k = 0; k < side; k++) b[q * side + k][n] = columns[n * side + k];
      }
    }
  }

  // Eight more products for each sum of row m.
  __m256 add(__m256 sum, int m, int q) const {
    const float* row = a[q * 2 + m / side] + m % side * side;
    for (int k = 0; k < side; k++) {
      sum = _mm256_fmadd_ps(_mm256_broadcast_ss(row + k), _mm256_load_ps(b[q * side + k]), sum);
    }
    return sum;
  }
};

// D (16x8) = A (16x8*Depth) B (8*Depth x 8) + C
template <bool Bf16, int Depth>
void multiply(Execution& x, const Instruction& i) {
  need_whole_warp(x, i, "mma.sync");
  const Factors<Bf16, Depth> factors(x, i);
  alignas(32) float d[2 * side][side];
  const float* c[4];
  float* out[4];
  for (int r = 0; r < 4; r++) {
    c[r] = reinterpret_cast<const float*>(x.row<uint32_t>(i.src[3 * Depth + r]));
    out[r] = reinterpret_cast<float*>(x.row<uint32_t>(i.dst[r]));
  }
  for_accumulators([&](int l, int r, int row, int column) { d[row][column] = c[r][l]; });
  for (int m = 0; m < 2 * side; m++) {
    __m256 sum = _mm256_load_ps(d[m]);
    for (int q = 0; q < Depth; q++) sum = factors.add(sum, m, q);
    _mm256_store_ps(d[m], sum);
  }
  for_accumulators([&](int l, int r, int row, int column) { out[r][l] = d[row][column]; });
}

// The same with C and D in fp16: a register holds the 8x8 sums of rows 0 to 7, another those of the others.
template <int Depth>
void multiply_in_f16(Execution& x, const Instruction& i) {
  need_whole_warp(x, i, "mma.sync");
  const Factors<false, Depth> factors(x, i);
  alignas(32) float d[2][side * side];
  for (int half = 0; half < 2; half++) {
    widen_fragment<false>(x.row<uint32_t>(i.src[3 * Depth + half]), d[half]);
    auto* out = reinterpret_cast<__m128i*>(x.row<uint32_t>(i.dst[half]));
    for (int row = 0; row < side; row++) {
      __m256 sum = _mm256_load_ps(d[half] + row * side);
      __m128i rounded = {};
      for (int q = 0; q < Depth; q++) {
        rounded = _mm256_cvtps_ph(factors.add(sum, half * side + row, q), _MM_FROUND_TO_NEAREST_INT);
        sum = _mm256_cvtph_ps(rounded);
      }
      _mm_storeu_si128(out + row, rounded);
    }
  }
}

// Of lanes that point at no row nothing is read, but sm_75 asks for valid addresses all the same (PTX ISA).
void check_unused_addresses(Execution& x, const Instruction& i) {
  for (int l = i.count * side; l < lanes; l++) {
    const uint64_t address = address_of(x, i, l);
    if (address % 16 == 0 && address + 16 <= x.shared.size()) continue;
    fail(x, i, "ldmatrix: lane " + std::to_string(l) + " has no row, and no valid address");
  }
}

}  // namespace

Handler multiply_matrices(bool bf16, bool k16) {
  if (bf16) return k16 ? multiply<true, 2> : multiply<true, 1>;
  return k16 ? multiply<false, 2> : multiply<false, 1>;
}

Handler multiply_matrices_in_f16(bool k16) {
  return k16 ? multiply_in_f16<2> : multiply_in_f16<1>;
}

void load_matrices(Execution& x, const Instruction& i) {
  need_whole_warp(x, i, "ldmatrix");
  check_unused_addresses(x, i);
  uint32_t address[lanes];
  for (int m = 0; m < i.count; m++) {
    uint16_t matrix[side][side];
    for (int row = 0; row < side; row++) {
      const int l = m * side + row;
      address[l] = static_cast<uint32_t>(address_of(x, i, l));
      std::memcpy(matrix[row], read_shared(x, i, address[l], 16, Toucher::all), 16);
    }
    uint32_t* dst = x.row<uint32_t>(i.dst[m]);
    if (i.flag) {
      for (int l = 0; l < lanes; l++) {
        dst[l] = matrix[l % 4 * 2][l / 4] | uint32_t{matrix[l % 4 * 2 + 1][l / 4]} << 16;
      }
    } else {
      std::memcpy(dst, matrix, sizeof matrix);
    }
  }
  count_shared(x, address, i.count == 4 ? all_lanes : i.count == 2 ? 0xffff : 0xff, 16);
}

}  // namespace tintype::ptx
