// What happens to a finished tile of sums on its way to memory.
#pragma once
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

template <Activation kind>
void finish_tile(const Epilogue& e, const GemmShape& shape, const Tile& tile) {
  for (int i = 0; i < tile.rows; i++) {
    const int64_t m = tile.m + i;
    const float* row_bias = e.row_bias ? e.row_bias + m / e.period * shape.n : nullptr;
    for (int64_t j = 0; j < tile.width && tile.n + j < shape.n; j += kWidth) {
      const int64_t n = tile.n + j;
      const int lanes = shape.n - n < kWidth ? static_cast<int>(shape.n - n) : kWidth;
      Vec sum = load(tile.sums + i * tile.width + j);
      if (e.bias) sum = sum + load_partial(e.bias + n, lanes);
      if (row_bias) sum = sum + load_partial(row_bias + n, lanes);
      sum = activate<kind>(sum);
      if (e.residual) sum = sum + load_partial(e.residual + m * shape.n + n, lanes);
      store_partial(e.y + m * shape.n + n, sum, lanes);
    }
  }
}

inline void finish(const Epilogue& e, const GemmShape& shape, const Tile& tile) {
  with_activation(e.activation, [&](auto kind) { finish_tile<kind.value>(e, shape, tile); });
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
