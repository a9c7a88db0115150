// The three transforms of F(4x4, 3x3) with the points 0, 1, -1, 2, -2 and infinity, each a matrix applied to
// the rows and columns of a small square, one vector of channels at a time.
#pragma once
#include "simd.h"

namespace tintype::TINTYPE_ISA {
namespace {

constexpr int kOutputs = 4;               // pixels of a tile each way
constexpr int kPatch = kOutputs + 2;      // and those that it reads
constexpr int kPoints = kPatch * kPatch;  // products that a tile takes

// B^T of Lavin and Gray (2016): patches of the picture.
inline void transform_patch_line(const Vec (&d)[kPatch], Vec (&v)[kPatch]) {
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
inline void transform_weight_line(const Vec (&g)[3], Vec (&u)[kPatch]) {
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
inline void transform_sum_line(const Vec (&m)[kPatch], Vec (&y)[kOutputs]) {
  const Vec one = m[1] + m[2], one_less = m[1] - m[2];
  const Vec two = m[3] + m[4], two_less = m[3] - m[4];
  y[0] = m[0] + one + two;
  y[1] = fma(broadcast(2), two_less, one_less);
  y[2] = fma(broadcast(4), two, one);
  y[3] = fma(broadcast(8), two_less, one_less) + m[5];
}

// read(row, column) gives the elements of a square; write(row, column, value) gets those of the transformed
// one.
template <int From, int To, class Read, class Line, class Write>
inline void transform_square(const Read& read, const Line& line, const Write& write) {
  Vec rows[From][To];
#pragma GCC unroll 6
  for (int i = 0; i < From; i++) {
    Vec from[From];
#pragma GCC unroll 6
    for (int j = 0; j < From; j++) from[j] = read(i, j);
    line(from, rows[i]);
  }
#pragma GCC unroll 6
  for (int j = 0; j < To; j++) {
    Vec from[From], to[To];
#pragma GCC unroll 6
    for (int i = 0; i < From; i++) from[i] = rows[i][j];
    line(from, to);
#pragma GCC unroll 6
    for (int i = 0; i < To; i++) write(i, j, to[i]);
  }
}

// The weights of one channel and one vector of outputs: nine taps to 36 points.
template <class T>
inline void transform_weights(const T* taps, int64_t tap_stride, float* to, int64_t point_stride) {
  transform_square<3, kPatch>([&](int y, int x) { return load(taps + (y * 3 + x) * tap_stride); },
                              transform_weight_line,
                              [&](int y, int x, Vec u) { store(to + (y * kPatch + x) * point_stride, u); });
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
