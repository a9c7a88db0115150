// What kinds of tiles mean for Winograd's algorithm, and their three transforms: each a matrix applied to the
// rows and columns of a small square, one vector of channels at a time. Their products are the polynomials of
// Lavin and Gray (2016), interpolated at 0, 1, -1, 2, -2 and infinity, or these and 1/2 and -1/2.
#pragma once
#include "simd.h"

namespace tintype::TINTYPE_ISA {
namespace {

template <int Outputs, int Stride = 1>
struct TileSize {
  static constexpr int kEnlarged = 1;                // times that the picture is larger than what it reads
  static constexpr int kOutputs = Outputs;           // pixels of a tile each way
  static constexpr int kStep = kOutputs * Stride;    // from what one tile reads to what the next does
  static constexpr int kPatch = kStep - Stride + 3;  // pixels that it reads
  static constexpr int kLineProducts = kPatch;       // products of a line
  static constexpr int kWeights = kLineProducts;     // different weights of a line
  // Which of them a product has, and which point of a line of the transformed patch.
  static constexpr int weight_of(int product) { return product; }
  static constexpr int patch_of(int product) { return product; }
};
// Of a patch, and as many points when it is transformed.
template <class F>
constexpr int kPixels = F::kPatch * F::kPatch;
// Of a tile, for each channel in and out.
template <class F>
constexpr int kProducts = F::kLineProducts * F::kLineProducts;
// Where the patch of a product is among those of its tile, both counted by rows.
template <class F>
constexpr int patch_index(int product) {
  return F::patch_of(product / F::kLineProducts) * F::kPatch + F::patch_of(product % F::kLineProducts);
}

// F(4x4, 3x3).
struct F4 : TileSize<4> {
  // B^T: patches of the picture.
  static void transform_patch_line(const Vec (&d)[kPatch], Vec (&v)[kPatch]) {
    const Vec four = broadcast(4), five = broadcast(5), two = broadcast(2);
    const Vec even = fnma(four, d[2], d[4]);
    const Vec odd = fnma(four, d[1], d[3]);
    const Vec near = d[4] - d[2];
    const Vec far = two * (d[3] - d[1]);
    v[0] = fma(four, d[0], fnma(five, d[2], d[4]));
    v[1] = even + odd;
    v[2] = even - odd;
    v[3] = near + far;
    v[4] = near - far;
    v[5] = fma(four, d[1], fnma(five, d[3], d[5]));
  }

  // G: weights.
  static void transform_weight_line(const Vec (&g)[3], Vec (&u)[kPatch]) {
    const Vec outer = broadcast(-1.0f / 6) * (g[0] + g[2]);
    const Vec inner = broadcast(1.0f / 6) * g[1];
    const Vec even = fma(broadcast(1.0f / 24), g[0], broadcast(1.0f / 6) * g[2]);
    const Vec odd = broadcast(1.0f / 12) * g[1];
    u[0] = broadcast(0.25f) * g[0];
    u[1] = outer - inner;
    u[2] = outer + inner;
    u[3] = even + odd;
    u[4] = even - odd;
    u[5] = g[2];
  }

  // A^T: sums of products to pixels.
  static void transform_sum_line(const Vec (&m)[kLineProducts], Vec (&y)[kOutputs]) {
    const Vec one = m[1] + m[2], one_less = m[1] - m[2];
    const Vec two = m[3] + m[4], two_less = m[3] - m[4];
    y[0] = m[0] + one + two;
    y[1] = fma(broadcast(2), two_less, one_less);
    y[2] = fma(broadcast(4), two, one);
    y[3] = fma(broadcast(8), two_less, one_less) + m[5];
  }
};

// F(6x6, 3x3).
struct F6 : TileSize<6> {
  static void transform_patch_line(const Vec (&d)[kPatch], Vec (&v)[kPatch]) {
    const Vec five = broadcast(5), four = broadcast(4), two = broadcast(2), half = broadcast(0.5f);
    const Vec outermost = broadcast(5.25f), outer = broadcast(4.25f), inner = broadcast(2.5f);
    const Vec even1 = fnma(outer, d[4], d[2] + d[6]);
    const Vec odd1 = fnma(outer, d[3], d[1] + d[5]);
    const Vec even2 = fma(broadcast(0.25f), d[2], fnma(broadcast(1.25f), d[4], d[6]));
    const Vec odd2 = fma(half, d[1], fnma(inner, d[3], two * d[5]));
    const Vec even_half = fma(four, d[2], fnma(five, d[4], d[6]));
    const Vec odd_half = fma(two, d[1], fnma(inner, d[3], half * d[5]));
    v[0] = fma(outermost, d[4] - d[2], d[0] - d[6]);
    v[1] = even1 + odd1;
    v[2] = even1 - odd1;
    v[3] = even2 + odd2;
    v[4] = even2 - odd2;
    v[5] = even_half + odd_half;
    v[6] = even_half - odd_half;
    v[7] = fma(outermost, d[3] - d[5], d[7] - d[1]);
  }

  static void transform_weight_line(const Vec (&g)[3], Vec (&u)[kPatch]) {
    const Vec even1 = broadcast(-2.0f / 9) * (g[0] + g[2]);
    const Vec odd1 = broadcast(-2.0f / 9) * g[1];
    const Vec even2 = fma(broadcast(1.0f / 90), g[0], broadcast(2.0f / 45) * g[2]);
    const Vec odd2 = broadcast(1.0f / 45) * g[1];
    const Vec even_half = fma(broadcast(32.0f / 45), g[0], broadcast(8.0f / 45) * g[2]);
    const Vec odd_half = broadcast(16.0f / 45) * g[1];
    u[0] = g[0];
    u[1] = even1 + odd1;
    u[2] = even1 - odd1;
    u[3] = even2 + odd2;
    u[4] = even2 - odd2;
    u[5] = even_half + odd_half;
    u[6] = even_half - odd_half;
    u[7] = g[2];
  }

  static void transform_sum_line(const Vec (&m)[kLineProducts], Vec (&y)[kOutputs]) {
    const Vec one = m[1] + m[2], one_less = m[1] - m[2];
    const Vec two = m[3] + m[4], two_less = m[3] - m[4];
    const Vec half = m[5] + m[6], half_less = m[5] - m[6];
    y[0] = (m[0] + one) + (two + half);
    y[1] = fma(broadcast(2), two_less, fma(broadcast(1.0f / 2), half_less, one_less));
    y[2] = fma(broadcast(4), two, fma(broadcast(1.0f / 4), half, one));
    y[3] = fma(broadcast(8), two_less, fma(broadcast(1.0f / 8), half_less, one_less));
    y[4] = fma(broadcast(16), two, fma(broadcast(1.0f / 16), half, one));
    y[5] = fma(broadcast(32), two_less, fma(broadcast(1.0f / 32), half_less, one_less)) + m[7];
  }
};

// Of stride 2: pixel j is the sum of two taps over every other pixel and of one over those between,
//   d[2j] g[0] + d[2j + 2] g[2] and d[2j + 1] g[1],
// and the first is F(4, 2), interpolated at 0, 1, -1, 2 and infinity: nine products where the sum over the
// taps takes twelve, 81 for 144 in a square.
struct F4Strided : TileSize<4, 2> {
  static constexpr int kWeights = 6;
  static constexpr int weight_of(int point) { return point < kWeights ? point : kWeights - 1; }

  static void transform_patch_line(const Vec (&d)[kPatch], Vec (&v)[kPatch]) {
    const Vec two = broadcast(2), three = broadcast(3);
    const Vec last = d[6] - d[4];
    v[0] = fma(two, d[0] - d[4], d[6] - d[2]);
    v[1] = fnma(two, d[2], last);
    v[2] = fma(two, d[2], fnma(three, d[4], d[6]));
    v[3] = d[6] - d[2];
    v[4] = fma(two, d[2] - d[6], d[8] - d[4]);
    for (int i = 0; i < 4; i++) v[5 + i] = d[2 * i + 1];
  }

  static void transform_weight_line(const Vec (&g)[3], Vec (&u)[kWeights]) {
    u[0] = broadcast(0.5f) * g[0];
    u[1] = broadcast(-0.5f) * (g[0] + g[2]);
    u[2] = broadcast(1.0f / 6) * (g[2] - g[0]);
    u[3] = fma(broadcast(1.0f / 3), g[2], broadcast(1.0f / 6) * g[0]);
    u[4] = g[2];
    u[5] = g[1];
  }

  static void transform_sum_line(const Vec (&m)[kLineProducts], Vec (&y)[kOutputs]) {
    const Vec one = m[1] + m[2], one_less = m[1] - m[2];
    y[0] = (m[0] + one) + (m[3] + m[5]);
    y[1] = fma(broadcast(2), m[3], one_less) + m[6];
    y[2] = fma(broadcast(4), m[3], one) + m[7];
    y[3] = fma(broadcast(8), m[3], one_less) + (m[4] + m[8]);
  }
};

// Of a picture that is enlarged twice, where an output meets two different pixels each way: from pixel d[j]
// on lie two,
//   d[j] (g[0] + g[1]) + d[j + 1] g[2] and d[j] g[0] + d[j + 1] (g[1] + g[2]),
// which are two F(3, 2) of the same patch, interpolated at 0, 1, -1 and infinity. At 1 the weights of both
// are the sum of the taps, so that one product serves both: seven for six outputs, 49 for 36 in a square.
struct F6Enlarged {
  static constexpr int kEnlarged = 2;
  static constexpr int kOutputs = 6, kStep = 3, kPatch = 4;
  static constexpr int kLineProducts = 7, kWeights = kLineProducts;
  static constexpr int weight_of(int product) { return product; }
  static constexpr int patch_of(int product) {
    constexpr int places[kLineProducts] = {0, 0, 1, 2, 2, 3, 3};
    return places[product];
  }

  static void transform_patch_line(const Vec (&d)[kPatch], Vec (&v)[kPatch]) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[1] - d[3];
  }

  static void transform_weight_line(const Vec (&g)[3], Vec (&u)[kWeights]) {
    const Vec half = broadcast(0.5f);
    const Vec first = g[0] + g[1], last = g[1] + g[2];
    u[0] = first;
    u[1] = g[0];
    u[2] = half * (first + g[2]);
    u[3] = half * (first - g[2]);
    u[4] = half * (g[0] - last);
    u[5] = g[2];
    u[6] = last;
  }

  static void transform_sum_line(const Vec (&m)[kLineProducts], Vec (&y)[kOutputs]) {
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
      const Vec sum = m[2] + m[3 + i];
      y[i] = m[i] + sum;
      y[2 + i] = m[2] - m[3 + i];
      y[4 + i] = sum - m[5 + i];
    }
  }
};

// read(row, column) gives the elements of a square; write(row, column, value) gets those of the transformed
// one.
template <int From, int To, class Read, class Line, class Write>
inline void transform_square(const Read& read, const Line& line, const Write& write) {
  Vec rows[From][To];
#pragma GCC unroll 9
  for (int i = 0; i < From; i++) {
    Vec from[From];
#pragma GCC unroll 9
    for (int j = 0; j < From; j++) from[j] = read(i, j);
    line(from, rows[i]);
  }
#pragma GCC unroll 9
  for (int j = 0; j < To; j++) {
    Vec from[From], to[To];
#pragma GCC unroll 9
    for (int i = 0; i < From; i++) from[i] = rows[i][j];
    line(from, to);
#pragma GCC unroll 9
    for (int i = 0; i < To; i++) write(i, j, to[i]);
  }
}

// The weights of one channel and one vector of outputs: nine taps to so many rows of a tile's weights.
template <class F, int First = 0, int Rows = F::kWeights, class T>
inline void transform_weights(const T* taps, int64_t tap_stride, float* to, int64_t point_stride) {
  Vec rows[Rows][3];
#pragma GCC unroll 3
  for (int x = 0; x < 3; x++) {
    Vec from[3], column[F::kWeights];
#pragma GCC unroll 3
    for (int y = 0; y < 3; y++) from[y] = load(taps + (y * 3 + x) * tap_stride);
    F::transform_weight_line(from, column);
#pragma GCC unroll 9
    for (int i = 0; i < Rows; i++) rows[i][x] = column[First + i];
  }
#pragma GCC unroll 9
  for (int i = 0; i < Rows; i++) {
    Vec row[F::kWeights];
    F::transform_weight_line(rows[i], row);
#pragma GCC unroll 9
    for (int x = 0; x < F::kWeights; x++) store(to + (i * F::kWeights + x) * point_stride, row[x]);
  }
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
