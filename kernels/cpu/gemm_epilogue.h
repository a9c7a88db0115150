// What happens to a finished tile of sums on its way to memory. A weight that is not int8 has scales of 1,
// which change no bit.
#pragma once
#include "channel_moments.h"
#include "elementwise.h"
#include "gemm.h"
#include "gemm_panels.h"
#include "math.h"

namespace tintype::TINTYPE_ISA {
namespace {

// A tile of sums (rows, width), the place of its first element in y (m, n), and where to add up its results.
struct Tile {
  const float* sums;
  int rows;
  int64_t width;
  int64_t m, n;
  StretchSums measured = {};
};

// Results of 32 MB or more are no longer in the last-level cache when they are read: they go past the caches,
// which spares the reading of the lines that they fill. Where they take the place of the residual these are
// at hand: with vectors that are half a line it costs 15 to 25 % then.
constexpr int64_t kLargeResult = 8 << 20;
struct PastCaches : AllLanes {
  void store(float* p, Vec a) const { store_past_caches(p, a); }
};
template <class Lanes>
inline Lanes in_caches(Lanes lanes) {
  return lanes;
}
inline AllLanes in_caches(PastCaches lanes) {
  return lanes;
}
inline bool goes_past_caches(const Epilogue& e, const GemmShape& shape) {
  if (!kStoresPastCaches || shape.m * shape.n < kLargeResult) return false;
  const bool aligned = reinterpret_cast<uintptr_t>(e.y) % sizeof(Vec) == 0 && shape.n % kWidth == 0;
  return aligned && (kWidth == kLine || e.y != e.residual);
}

// Finishes the sums of one vector of columns, from column n on.
template <Activation kind, class Lanes>
class FinishColumns {
 public:
  FinishColumns(const Epilogue& e, const GemmShape& shape, int64_t n, Lanes lanes)
      : e_(e),
        width_(shape.n),
        n_(n),
        lanes_(lanes),
        scale_(e.scales ? lanes.load(e.scales + n) : broadcast(1)),
        bias_(e.bias ? lanes.load(e.bias + n) : broadcast(0)) {}

  // The result.
  TINTYPE_INLINE Vec operator()(int64_t m, Vec sum) const {
    const int64_t at = m * width_ + n_;
    sum = fma(sum, scale_, bias_);
    if (e_.row_bias) sum = sum + lanes_.load(e_.row_bias + m / e_.period * width_ + n_);
    sum = activate<kind>(sum);
    if (e_.residual) sum = sum + lanes_.load(e_.residual + at);
    lanes_.store(e_.y + at, sum);
    return sum;
  }

 private:
  const Epilogue e_;
  const int64_t width_, n_;
  const Lanes lanes_;
  const Vec scale_, bias_;
};

// One vector of columns, `shift` from the tile's first.
template <Activation kind, class Lanes>
void finish_columns(const Epilogue& e, const GemmShape& shape, const Tile& tile, int64_t shift, Lanes lanes) {
  const FinishColumns<kind, Lanes> finish(e, shape, tile.n + shift, lanes);
  const auto finish_row = [&](int i) { return finish(tile.m + i, load(tile.sums + i * tile.width + shift)); };
  if (tile.measured.pivot) {
    return add_pixels(tile.measured, tile.n + shift, tile.rows, in_caches(lanes), finish_row);
  }
  for (int i = 0; i < tile.rows; i++) finish_row(i);
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

// Finishes the sums of one vector of columns of a gated layer, from column n on, and of their gates, which
// lie shape.n columns further on.
class FinishGatedColumns {
 public:
  FinishGatedColumns(const Epilogue& e, const GemmShape& shape, int64_t n)
      : to_(e.y + n),
        width_(shape.n),
        scale_(e.scales ? load(e.scales + n) : broadcast(1)),
        gate_scale_(e.scales ? load(e.scales + shape.n + n) : broadcast(1)),
        bias_(e.bias ? load(e.bias + n) : broadcast(0)),
        gate_bias_(e.bias ? load(e.bias + shape.n + n) : broadcast(0)) {}

  TINTYPE_INLINE void operator()(int64_t m, Vec value, Vec gate) const {
    store(to_ + m * width_, fma(value, scale_, bias_) * gelu(fma(gate, gate_scale_, gate_bias_)));
  }

 private:
  float* const to_;
  const int64_t width_;
  const Vec scale_, gate_scale_, bias_, gate_bias_;
};

// A tile of sums times the GELU of the tile `gates`.
inline void finish_gated(const Epilogue& e, const GemmShape& shape, const Tile& tile, const float* gates) {
  for (int64_t shift = 0; shift < tile.width; shift += kWidth) {
    const FinishGatedColumns finish(e, shape, tile.n + shift);
    for (int i = 0; i < tile.rows; i++) {
      const int64_t at = i * tile.width + shift;
      finish(tile.m + i, load(tile.sums + at), load(gates + at));
    }
  }
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
