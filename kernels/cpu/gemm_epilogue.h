// What happens to a finished tile of sums on its way to memory. A weight that is not int8 has scales of 1,
// which change no bit.
#pragma once
#include "elementwise.h"
#include "gemm.h"
#include "gemm_panels.h"
#include "math.h"

namespace tintype::TINTYPE_ISA {
namespace {

// A tile of sums (rows, width) and the place of its first element in y (m, n).
struct Tile {
  const float* sums;
  int rows;
  int64_t width;
  int64_t m, n;
};

// Results of 32 MB or more are no longer in the last-level cache when they are read: they go past the caches,
// which spares the reading of the lines that they fill. Where they take the place of the residual these are
// at hand: with vectors that are half a line it costs 15 to 25 % then.
constexpr int64_t kLargeResult = 8 << 20;
struct PastCaches : AllLanes {
  void store(float* p, Vec a) const { store_past_caches(p, a); }
};
inline bool goes_past_caches(const Epilogue& e, const GemmShape& shape) {
  if (!kStoresPastCaches || shape.m * shape.n < kLargeResult) return false;
  const bool aligned = reinterpret_cast<uintptr_t>(e.y) % sizeof(Vec) == 0 && shape.n % kWidth == 0;
  return aligned && (kWidth == kLine || e.y != e.residual);
}

// One vector of columns, `shift` from the tile's first.
template <Activation kind, class Lanes>
void finish_columns(const Epilogue& e, const GemmShape& shape, const Tile& tile, int64_t shift, Lanes lanes) {
  const int64_t n = tile.n + shift;
  const Vec scale = e.scales ? lanes.load(e.scales + n) : broadcast(1);
  const Vec bias = e.bias ? lanes.load(e.bias + n) : broadcast(0);
  for (int i = 0; i < tile.rows; i++) {
    const int64_t m = tile.m + i;
    Vec sum = fma(load(tile.sums + i * tile.width + shift), scale, bias);
    if (e.row_bias) sum = sum + lanes.load(e.row_bias + m / e.period * shape.n + n);
    sum = activate<kind>(sum);
    if (e.residual) sum = sum + lanes.load(e.residual + m * shape.n + n);
    lanes.store(e.y + m * shape.n + n, sum);
  }
}

template <Activation kind>
void finish_tile(const Epilogue& e, const GemmShape& shape, const Tile& tile) {
  const bool past_caches = goes_past_caches(e, shape);
  for (int64_t shift = 0; shift < tile.width; shift += kWidth) {
    const int64_t left = shape.n - tile.n - shift;
    if (left <= 0) return;
    if (left < kWidth) {
      finish_columns<kind>(e, shape, tile, shift, FirstLanes{static_cast<int>(left)});
    } else if (past_caches) {
      finish_columns<kind>(e, shape, tile, shift, PastCaches{});
    } else {
      finish_columns<kind>(e, shape, tile, shift, AllLanes{});
    }
  }
}

inline void finish(const Epilogue& e, const GemmShape& shape, const Tile& tile) {
  with_activation(e.activation, [&](auto kind) { finish_tile<kind.value>(e, shape, tile); });
}

// A tile of sums times the GELU of the tile `gates`, which lies shape.n columns further on.
inline void finish_gated(const Epilogue& e, const GemmShape& shape, const Tile& tile, const float* gates) {
  for (int64_t shift = 0; shift < tile.width; shift += kWidth) {
    const int64_t n = tile.n + shift;
    const Vec scale = e.scales ? load(e.scales + n) : broadcast(1);
    const Vec gate_scale = e.scales ? load(e.scales + shape.n + n) : broadcast(1);
    const Vec bias = e.bias ? load(e.bias + n) : broadcast(0);
    const Vec gate_bias = e.bias ? load(e.bias + shape.n + n) : broadcast(0);
    for (int i = 0; i < tile.rows; i++) {
      const int64_t at = i * tile.width + shift;
      const Vec gate = gelu(fma(load(gates + at), gate_scale, gate_bias));
      store(e.y + (tile.m + i) * shape.n + n, fma(load(tile.sums + at), scale, bias) * gate);
    }
  }
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
