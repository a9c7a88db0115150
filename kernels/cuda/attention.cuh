// Attention by warps: scores live in registers only. While scores are computed the values arrive, while
// values are summed up the next keys. Bound by tensor cores and exponentials.
#pragma once
#include "attention_rows.cuh"
#include "tensor_core.cuh"

namespace tintype::cuda {

template <AttentionShape Shape>
class WarpAttention : AttentionRows<Shape.head, Shape.keys, Shape.tiles, attention_threads> {
  using Rows = AttentionRows<Shape.head, Shape.keys, Shape.tiles, attention_threads>;
  using Rows::a_, Rows::lane_, Rows::warp_;
  using Rows::head, Rows::keys, Rows::tiles, Rows::key_tiles, Rows::head_tiles;
  using typename Rows::Scores;
  static constexpr int stride = Shape.stride();
  // Along a head, products of 16 channels and at the end perhaps one of 8.
  static constexpr int depth_steps = head / 16;
  static constexpr bool half_step = head % 16 != 0;

 public:
  __device__ WarpAttention(const AttentionLaunch& a, unsigned char* shared)
      : Rows(a, shared), address_(shared_address(shared)) {
#pragma unroll
    for (int t = 0; t < tiles; t++) largest_[t][0] = largest_[t][1] = -INFINITY;
  }

  __device__ void run() {
    const int lk = static_cast<int>(a_.op.lk), steps = this->steps();
    load_queries();
    copy_tile<keys>(Shape.keys_at(), this->k_, 0, lk);
    commit_copies();
    for (int step = 0; step < steps; step++) {
      wait_for_copies<0>();
      __syncthreads();  // the keys are here, and all have read the values before
      copy_tile<keys>(Shape.values_at(), this->v_, step * keys, lk);
      commit_copies();
      Scores scores = {};
      multiply_keys(scores);
      if constexpr (half_step) multiply_last_keys(scores);
      wait_for_copies<0>();
      __syncthreads();  // the values are here, and all have read the keys
      if (step + 1 < steps) copy_tile<keys>(Shape.keys_at(), this->k_, (step + 1) * keys, lk);
      commit_copies();
      this->hide(scores, step);
      exponentiate(scores);
      multiply_values(scores);
    }
    wait_for_copies<0>();
    __syncthreads();
    store();
  }

 private:
  template <int Count>
  __device__ void copy_tile(int at, const Element* matrix, int row, int limit) {
    this->template copy_rows<Count>(matrix, row, limit, [this, at](int r, int column) {
      return address_ + at + (r * stride + column * chunk) * 2;
    });
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
    copy_tile<Shape.queries()>(0, this->q_, this->first_, static_cast<int>(a_.op.lq));
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

  __device__ void multiply_keys(Scores& scores) {
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

  __device__ void multiply_last_keys(Scores& scores) {
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

  // Scores become weights relative to the largest so far; what was summed up with a smaller one shrinks.
  __device__ void exponentiate(Scores& scores) {
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

  __device__ void multiply_values(const Scores& scores) {
    const uint32_t rows = address_ + Shape.values_at() + lane_ % 16 * stride * 2;
    const uint32_t from = rows + lane_ / 16 * 16;
#pragma unroll
    for (int s = 0; s < keys / 16; s++) {
      uint32_t weights[tiles][4];
#pragma unroll
      for (int t = 0; t < tiles; t++) this->pack_weights(weights[t], scores[t], s);
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
        load_matrices_transposed(v, rows + (s * 16 * stride + (head_tiles - 1) * 8) * 2);
#pragma unroll
        for (int t = 0; t < tiles; t++) multiply_add(sums_[t][head_tiles - 1], weights[t], v[0], v[1]);
      }
    }
  }

  __device__ void store() {
    float factors[tiles][2];
#pragma unroll
    for (int t = 0; t < tiles; t++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        float total = weights_[t][half];
        total += __shfl_xor_sync(0xffffffff, total, 1);
        total += __shfl_xor_sync(0xffffffff, total, 2);
        factors[t][half] = 1.f / total;
      }
    }
    Rows::store(sums_, factors);
  }

  uint32_t address_;
  uint32_t queries_[tiles][Shape.queries_in_registers() ? depth_steps : 1][4];
  uint32_t last_queries_[tiles][2];
  float sums_[tiles][head_tiles][4] = {};
  float largest_[tiles][2], weights_[tiles][2] = {};
};

}  // namespace tintype::cuda
