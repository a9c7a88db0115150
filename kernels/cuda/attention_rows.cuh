// The geometry of attention in one pass over the keys (Dao, "FlashAttention-2", 2023, algorithm 1), whatever
// multiplies. Of 16 queries a warp's lane has columns 8n + 2t and 8n + 2t + 1 of rows g and g + 8, where it
// is lane 4g + t.
#pragma once
#include "async_copy.cuh"
#include "attention.h"
#include "chunk.cuh"
#include "math.cuh"

namespace tintype::cuda {

// A warp has `Tiles` times 16 queries; a step takes `Keys` keys.
template <int Head, int Keys, int Tiles, int Threads>
class AttentionRows {
 protected:
  static constexpr int head = Head, keys = Keys, tiles = Tiles, queries = Threads / 32 * Tiles * 16;
  static constexpr int key_tiles = keys / 8, head_tiles = head / 8;
  // A thread copies one 16-byte column of every rows_apart-th row.
  static constexpr int row_chunks = head / 8, rows_apart = Threads / row_chunks;
  using Scores = float[tiles][key_tiles][4];

  __device__ AttentionRows(const AttentionLaunch& a, unsigned char* shared)
      : a_(a), shared_(shared), lane_(threadIdx.x % 32), warp_(threadIdx.x / 32) {
    c_ = static_cast<int>(a.op.c);
    first_ = blockIdx.x * queries;
    q_ = elements(a.op.q) + blockIdx.z * a.op.lq * c_ + blockIdx.y * head;
    k_ = elements(a.op.k) + blockIdx.z * a.op.lk * c_ + blockIdx.y * head;
    v_ = elements(a.op.v) + blockIdx.z * a.op.lk * c_ + blockIdx.y * head;
    y_ = elements(a.op.y) + blockIdx.z * a.op.lq * c_ + blockIdx.y * head;
  }

  __device__ bool is_causal() const { return a_.op.mask == Mask::causal; }
  // Keys that some query of the block sees.
  __device__ int seen() const {
    const int lk = static_cast<int>(a_.op.lk);
    return is_causal() ? min(lk, first_ + queries) : lk;
  }
  __device__ int steps() const { return (seen() + keys - 1) / keys; }

  // Copies rows [row, row + Rows) of a matrix with `limit` rows, zeros behind them, to where place(row,
  // chunk) says.
  template <int Rows, class Place>
  __device__ void copy_rows(const Element* matrix, int row, int limit, Place place) {
    const int own_row = static_cast<int>(threadIdx.x) / row_chunks, column = threadIdx.x % row_chunks;
    if (Threads % row_chunks != 0 && own_row >= rows_apart) return;
    const Element* p = matrix + static_cast<int64_t>(row + own_row) * c_ + column * chunk;
    const int left = limit - row - own_row;
#pragma unroll copies_at_once
    for (int i = 0; i < (Rows + rows_apart - 1) / rows_apart; i++) {
      // Not a break: lanes that left a rolled loop early would come to the next barrier alone.
      if ((i + 1) * rows_apart > Rows && own_row + i * rows_apart >= Rows) continue;
      const bool wanted = i * rows_apart < left;
      copy_async(place(own_row + i * rows_apart, column),
                 wanted ? p + static_cast<int64_t>(i) * rows_apart * c_ : matrix, wanted);
    }
  }

  // Keys behind the last one, and those behind a query where it may not see them.
  __device__ void hide(Scores& scores, int step) {
    const int first_key = step * keys, lk = static_cast<int>(a_.op.lk);
    const bool causal = is_causal();
    if (first_key + keys <= (causal ? first_ + 1 : lk)) return;
#pragma unroll
    for (int t = 0; t < tiles; t++) {
#pragma unroll
      for (int n = 0; n < key_tiles; n++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
          const int key = first_key + n * 8 + lane_ % 4 * 2 + e % 2;
          const int query = first_ + (warp_ * tiles + t) * 16 + lane_ / 4 + e / 2 * 8;
          if (key >= lk || (causal && key > query)) scores[t][n][e] = -INFINITY;
        }
      }
    }
  }

  // The weights of 16 keys, as a matrix that multiplies.
  __device__ static void pack_weights(uint32_t (&weights)[4], const float (&scores)[key_tiles][4], int s) {
    weights[0] = pack(scores[2 * s][0], scores[2 * s][1]);
    weights[1] = pack(scores[2 * s][2], scores[2 * s][3]);
    weights[2] = pack(scores[2 * s + 1][0], scores[2 * s + 1][1]);
    weights[3] = pack(scores[2 * s + 1][2], scores[2 * s + 1][3]);
  }

  // What the sums over the values are multiplied by makes them means; rows are written in 16-byte chunks,
  // through shared memory.
  template <int SumTiles>
  __device__ void store(const float (&sums)[tiles][SumTiles][4], const float (&factors)[tiles][2]) {
#pragma unroll
    for (int t = 0; t < tiles; t++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int row = (warp_ * tiles + t) * 16 + half * 8 + lane_ / 4;
#pragma unroll
        for (int n = 0; n < head_tiles; n++) {
          *reinterpret_cast<uint32_t*>(shared_ + (row * stored_stride + n * 8 + lane_ % 4 * 2) * 2) =
              pack(sums[t][n][half * 2] * factors[t][half], sums[t][n][half * 2 + 1] * factors[t][half]);
        }
      }
    }
    __syncthreads();
    const int own_row = threadIdx.x / row_chunks, column = threadIdx.x % row_chunks * 8;
    if (own_row >= rows_apart) return;
    for (int row = own_row; row < queries && first_ + row < a_.op.lq; row += rows_apart) {
      *reinterpret_cast<uint4*>(y_ + static_cast<int64_t>(first_ + row) * c_ + column) =
          *reinterpret_cast<const uint4*>(shared_ + (row * stored_stride + column) * 2);
    }
  }

  const AttentionLaunch& a_;
  unsigned char* shared_;
  int lane_, warp_, c_, first_;
  const Element *q_, *k_, *v_;
  Element* y_;

 private:
  // From one row to the next: an odd number of 16-byte chunks.
  static constexpr int stored_stride = attention_stride(head);
};

}  // namespace tintype::cuda
