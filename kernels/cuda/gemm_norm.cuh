// The layer norm of the rows of A, which B has in it (pack.h): mean and deviation of a row are taken from
// shared memory while its products are, and come into the sums afterwards. A row is read by the threads that
// own it, once for each tile of columns, but from no further away than the tensor cores read it.
#pragma once
#include "arrivals.cuh"
#include "gemm.h"
#include "gemm_gather.cuh"

namespace tintype::cuda {

// Of some numbers: their mean, and the sum of squares around it.
struct Moments {
  float mean, squares;
};

// Of both together (Chan, Golub and LeVeque, 1983, equations 1.5).
__device__ inline Moments join(const Moments& a, float count_a, const Moments& b, float count_b) {
  const float away = b.mean - a.mean, share = count_b / (count_a + count_b);
  return {a.mean + away * share, a.squares + b.squares + away * away * count_a * share};
}

// What sums of a row are corrected by.
struct RowNorm {
  float mean, factor;
};

__device__ inline RowNorm row_norm(const Moments& moments, int count, float eps, float inverse_factor) {
  return {moments.mean, rsqrtf(moments.squares / count + eps) * inverse_factor};
}

// The moments of the row of a thread, or of the one that it shares with its neighbour, over the depth of a
// block. Sums are those around the first number: that lies at most the root of the count of deviations from
// the mean, so that the variance loses at most count * 2^-24 of itself, wherever the mean is.
template <GemmTile Tile>
class RowMoments {
  static constexpr int lanes = Tile.multipliers() / Tile.m, chunks = Tile.depth / chunk / lanes;
  static_assert(lanes * Tile.m == Tile.multipliers() && (lanes == 1 || lanes == 2));

 public:
  __device__ void begin(const GemmArgs& a, int first_row, int first_k) {
    const int m = first_row + row();
    if (m < a.m) around_ = to_float(elements(a.a)[static_cast<int64_t>(m) * a.k + first_k]);
  }

  static __device__ int row() { return static_cast<int>(threadIdx.x) / lanes; }
  static __device__ bool is_first_of_row() { return threadIdx.x % lanes == 0; }

  // A step of A in shared memory, of which `left` numbers of a row are inside of its depth.
  __device__ void add(const unsigned char* stage, int left) {
    const int first = static_cast<int>(threadIdx.x) % lanes * chunks;
    if (left >= Tile.depth) {
#pragma unroll
      for (int i = 0; i < chunks; i++) add(chunk_of(stage, first + i));
    } else {
#pragma unroll 1
      for (int k = first * chunk; k < min(left, (first + chunks) * chunk); k++) {
        add(to_float(chunk_of(stage, k / chunk)[k % chunk]));
      }
    }
  }

  // To all threads of the row.
  __device__ Moments of(int count) const {
    float sum = sum_, squares = squares_;
    if constexpr (lanes == 2) {
      sum += __shfl_xor_sync(0xffffffff, sum, 1);
      squares += __shfl_xor_sync(0xffffffff, squares, 1);
    }
    const float away = sum / count, rest = squares - sum * away;
    return {around_ + away, rest < 0 ? 0 : rest};  // but not where it is no number
  }

 private:
  static __device__ const Element* chunk_of(const unsigned char* stage, int number) {
    return reinterpret_cast<const Element*>(stage + swizzle<Tile.depth / chunk>(row(), number));
  }
  __device__ void add(const Element* eight) {
    Chunk v;
    load(eight, v);
    float sum = 0, squares = 0;
#pragma unroll
    for (int i = 0; i < chunk; i++) {
      const float away = v[i] - around_;
      sum += away;
      squares += away * away;
    }
    sum_ += sum;
    squares_ += squares;
  }
  __device__ void add(float value) {
    const float away = value - around_;
    sum_ += away;
    squares_ += away * away;
  }

  float around_ = 0, sum_ = 0, squares_ = 0;
};

}  // namespace tintype::cuda
