// Attention in one pass over the keys (Dao, "FlashAttention-2", 2023, algorithm 1): scores live in registers
// only. While scores are computed the values arrive, while values are summed up the next keys. Bound by
// tensor cores and exponentials.
#pragma once
#include "async_copy.cuh"
#include "attention.h"
#include "math.cuh"
#include "tensor_core.cuh"

namespace tintype::cuda {

template <AttentionShape Shape>
class AttentionBlock {
  static constexpr int head = Shape.head, keys = Shape.keys, tiles = Shape.tiles, stride = Shape.stride();
  // Along a head, products of 16 channels and at the end perhaps one of 8.
  static constexpr int depth_steps = head / 16;
  static constexpr bool half_step = head % 16 != 0;
  static constexpr int key_tiles = keys / 8, head_tiles = head / 8;
  // A thread copies one 16-byte column of every rows_apart-th row.
  static constexpr int row_chunks = head / 8, rows_apart = attention_threads / row_chunks;

 public:
  __device__ AttentionBlock(const AttentionLaunch& a, unsigned char* shared)
      : a_(a),
        shared_(shared),
        address_(shared_address(shared)),
        lane_(threadIdx.x % 32),
        warp_(threadIdx.x / 32) {
    c_ = static_cast<int>(a.op.c);
    first_ = blockIdx.x * Shape.queries();
    q_ = elements(a.op.q) + blockIdx.z * a.op.lq * c_ + blockIdx.y * head;
    k_ = elements(a.op.k) + blockIdx.z * a.op.lk * c_ + blockIdx.y * head;
    v_ = elements(a.op.v) + blockIdx.z * a.op.lk * c_ + blockIdx.y * head;
    y_ = elements(a.op.y) + blockIdx.z * a.op.lq * c_ + blockIdx.y * head;
#pragma unroll
    for (int t = 0; t < tiles; t++) largest_[t][0] = largest_[t][1] = -INFINITY;
  }

  __device__ void run() {
    const int lk = static_cast<int>(a_.op.lk);
    const bool causal = a_.op.mask == Mask::causal;
    const int seen = causal ? min(lk, first_ + Shape.queries()) : lk;
    const int steps = (seen + keys - 1) / keys;
    load_queries();
    copy_tile<keys>(Shape.keys_at(), k_, 0, lk);
    commit_copies();
    for (int step = 0; step < steps; step++) {
      wait_for_copies<0>();
      __syncthreads();  // the keys are here, and all have read the values before
      copy_tile<keys>(Shape.values_at(), v_, step * keys, lk);
      commit_copies();
      float scores[tiles][key_tiles][4] = {};
      multiply_keys(scores);
      if constexpr (half_step) multiply_last_keys(scores);
      wait_for_copies<0>();
      __syncthreads();  // the values are here, and all have read the keys
      if (step + 1 < steps) copy_tile<keys>(Shape.keys_at(), k_, (step + 1) * keys, lk);
      commit_copies();
      if ((step + 1) * keys > (causal ? first_ + 1 : lk)) hide(scores, step * keys, lk, causal);
      exponentiate(scores);
      multiply_values(scores);
    }
    wait_for_copies<0>();
    __syncthreads();
    store();
  }

 private:
  // Rows [row, row + Rows) of a matrix with `limit` rows, zeros behind them.
  template <int Rows>
  __device__ void copy_tile(int at, const Element* matrix, int row, int limit) {
    const int own_row = static_cast<int>(threadIdx.x) / row_chunks, column = threadIdx.x % row_chunks * 8;
    if (attention_threads % row_chunks != 0 && own_row >= rows_apart) return;
    const Element* p = matrix + static_cast<int64_t>(row + own_row) * c_ + column;
    const uint32_t target = address_ + at + (own_row * stride + column) * 2;
    const int left = limit - row - own_row;
#pragma unroll copies_at_once
    for (int i = 0; i < (Rows + rows_apart - 1) / rows_apart; i++) {
      // Not a break: lanes that left a rolled loop early would come to the next barrier alone.
      if ((i + 1) * rows_apart > Rows && own_row + i * rows_apart >= Rows) continue;
      const bool wanted = i * rows_apart < left;
      copy_async(target + i * rows_apart * stride * 2,
                 wanted ? p + static_cast<int64_t>(i) * rows_apart * c_ : matrix, wanted);
    }
  }

  __device__ uint32_t query_address(int tile, int step) const {
    const int row = (warp_ * tiles + tile) * 16 + lane_ % 16;
    return address_ + (row * stride + step * 16 + lane_ / 16 * 8) * 2;
  }

  // Of the half step.
  __device__ uint32_t last_query_address(int tile) const {
    const int row = (warp_ * tiles + tile) * 16 + lane_ % 16;
    return address_ + (row * stride + depth_steps * 16) * 2;
  }

  __device__ void load_queries() {
    copy_tile<Shape.queries()>(0, q_, first_, static_cast<int>(a_.op.lq));
    commit_copies();
    if constexpr (Shape.queries_in_registers()) {
      wait_for_copies<0>();
      __syncthreads();
#pragma unroll
      for (int t = 0; t < tiles; t++) {
#pragma unroll
        for (int s = 0; s < depth_steps; s++) load_matrices(queries_[t][s], query_address(t, s));
        if constexpr (half_step) load_matrices(last_queries_[t], last_query_address(t));
      }
      __syncthreads();  // keys come to the same place
    }
  }

  __device__ void multiply_keys(float (&scores)[tiles][key_tiles][4]) {
    const int row = lane_ % 8 + lane_ / 16 * 8, column = lane_ / 8 % 2 * 8;
    const uint32_t from = address_ + Shape.keys_at() + (row * stride + column) * 2;
#pragma unroll
    for (int s = 0; s < depth_steps; s++) {
      constexpr bool kept = Shape.queries_in_registers();
      if constexpr (!kept) {
#pragma unroll
        for (int t = 0; t < tiles; t++) load_matrices(queries_[t][0], query_address(t, s));
      }
#pragma unroll
      for (int n = 0; n < keys / 16; n++) {
        uint32_t k[4];
        load_matrices(k, from + (n * 16 * stride + s * 16) * 2);
#pragma unroll
        for (int t = 0; t < tiles; t++) {
          multiply_add(scores[t][n * 2], queries_[t][kept ? s : 0], k[0], k[1]);
          multiply_add(scores[t][n * 2 + 1], queries_[t][kept ? s : 0], k[2], k[3]);
        }
      }
    }
  }

  __device__ void multiply_last_keys(float (&scores)[tiles][key_tiles][4]) {
    const uint32_t from = address_ + Shape.keys_at() + (lane_ % 16 * stride + depth_steps * 16) * 2;
    if constexpr (!Shape.queries_in_registers()) {
#pragma unroll
      for (int t = 0; t < tiles; t++) load_matrices(last_queries_[t], last_query_address(t));
    }
#pragma unroll
    for (int n = 0; n < keys / 16; n++) {
      uint32_t k[2];
      load_matrices(k, from + n * 16 * stride * 2);
#pragma unroll
      for (int t = 0; t < tiles; t++) {
        multiply_add(scores[t][n * 2], last_queries_[t], k[0]);
        multiply_add(scores[t][n * 2 + 1], last_queries_[t], k[1]);
      }
    }
  }

  // Keys behind the last one, and those behind a query where it may not see them.
  __device__ void hide(float (&scores)[tiles][key_tiles][4], int first_key, int lk, bool causal) {
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

  // Scores become weights relative to the largest so far; what was summed up with a smaller one shrinks.
  __device__ void exponentiate(float (&scores)[tiles][key_tiles][4]) {
#pragma unroll
    for (int t = 0; t < tiles; t++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {  // rows lane / 4 and lane / 4 + 8
        float largest = largest_[t][half];
#pragma unroll
        for (int n = 0; n < key_tiles; n++) {
          largest = fmaxf(largest, fmaxf(scores[t][n][half * 2], scores[t][n][half * 2 + 1]));
        }
        largest = fmaxf(largest, __shfl_xor_sync(0xffffffff, largest, 1));
        largest = fmaxf(largest, __shfl_xor_sync(0xffffffff, largest, 2));
        const float base = largest * a_.scale_log2;
        const float shrink = exp2(largest_[t][half] * a_.scale_log2 - base);
        largest_[t][half] = largest;
        float sum = 0;
#pragma unroll
        for (int n = 0; n < key_tiles; n++) {
#pragma unroll
          for (int e = half * 2; e < half * 2 + 2; e++) {
            scores[t][n][e] = exp2(fmaf(scores[t][n][e], a_.scale_log2, -base));
            sum += scores[t][n][e];
          }
        }
        weights_[t][half] = weights_[t][half] * shrink + sum;
#pragma unroll
        for (int n = 0; n < head_tiles; n++) {
          sums_[t][n][half * 2] *= shrink;
          sums_[t][n][half * 2 + 1] *= shrink;
        }
      }
    }
  }

  __device__ void multiply_values(const float (&scores)[tiles][key_tiles][4]) {
    const uint32_t from = address_ + Shape.values_at() + (lane_ % 16 * stride + lane_ / 16 * 8) * 2;
#pragma unroll
    for (int s = 0; s < keys / 16; s++) {
      uint32_t weights[tiles][4];
#pragma unroll
      for (int t = 0; t < tiles; t++) {
        weights[t][0] = pack(scores[t][2 * s][0], scores[t][2 * s][1]);
        weights[t][1] = pack(scores[t][2 * s][2], scores[t][2 * s][3]);
        weights[t][2] = pack(scores[t][2 * s + 1][0], scores[t][2 * s + 1][1]);
        weights[t][3] = pack(scores[t][2 * s + 1][2], scores[t][2 * s + 1][3]);
      }
#pragma unroll
      for (int n = 0; n < head_tiles / 2; n++) {
        uint32_t v[4];
        load_matrices_transposed(v, from + (s * 16 * stride + n * 16) * 2);
#pragma unroll
        for (int t = 0; t < tiles; t++) {
          multiply_add(sums_[t][n * 2], weights[t], v[0], v[1]);
          multiply_add(sums_[t][n * 2 + 1], weights[t], v[2], v[3]);
        }
      }
      if constexpr (head_tiles % 2 == 1) {
        uint32_t v[2];
        load_matrices_transposed(v, from + (s * 16 * stride + (head_tiles - 1) * 8) * 2);
#pragma unroll
        for (int t = 0; t < tiles; t++) multiply_add(sums_[t][head_tiles - 1], weights[t], v[0], v[1]);
      }
    }
  }

  // Through shared memory, so that rows are written in 16-byte chunks.
  __device__ void store() {
#pragma unroll
    for (int t = 0; t < tiles; t++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        float total = weights_[t][half];
        total += __shfl_xor_sync(0xffffffff, total, 1);
        total += __shfl_xor_sync(0xffffffff, total, 2);
        const float factor = 1.f / total;
        const int row = (warp_ * tiles + t) * 16 + half * 8 + lane_ / 4;
#pragma unroll
        for (int n = 0; n < head_tiles; n++) {
          *reinterpret_cast<uint32_t*>(shared_ + (row * stride + n * 8 + lane_ % 4 * 2) * 2) =
              pack(sums_[t][n][half * 2] * factor, sums_[t][n][half * 2 + 1] * factor);
        }
      }
    }
    __syncthreads();
    const int own_row = threadIdx.x / row_chunks, column = threadIdx.x % row_chunks * 8;
    if (own_row >= rows_apart) return;
    for (int row = own_row; row < Shape.queries() && first_ + row < a_.op.lq; row += rows_apart) {
      *reinterpret_cast<uint4*>(y_ + static_cast<int64_t>(first_ + row) * c_ + column) =
          *reinterpret_cast<const uint4*>(shared_ + (row * stride + column) * 2);
    }
  }

  const AttentionLaunch& a_;
  unsigned char* shared_;
  uint32_t address_;
  int lane_, warp_, c_, first_;
  const Element *q_, *k_, *v_;
  Element* y_;
  uint32_t queries_[tiles][Shape.queries_in_registers() ? depth_steps : 1][4];
  uint32_t last_queries_[tiles][2];
  float sums_[tiles][head_tiles][4] = {};
  float largest_[tiles][2], weights_[tiles][2] = {};
};

template <AttentionShape Shape>
__device__ void attention(const AttentionLaunch& a) {
  extern __shared__ __align__(128) unsigned char attention_shared[];
  AttentionBlock<Shape>(a, attention_shared).run();
}

}  // namespace tintype::cuda
