// Attention by the warpgroups of Hopper, 64 queries each, over the same keys and values. While tensor cores
// multiply for one, others take exponentials; the next keys and values arrive meanwhile. Bound by
// exponentials and what surrounds them. Tensor cores add up the weights too: values have one more column, of
// ones.
#pragma once
#include "attention_rows.cuh"
#include "swizzle.cuh"
#include "tensor_core.cuh"
#include "warpgroup.cuh"

namespace tintype::cuda {

template <WarpgroupAttention Shape>
class AttentionWarpgroups : AttentionRows<Shape.head, Shape.keys, 1, Shape.threads> {
  using Rows = AttentionRows<Shape.head, Shape.keys, 1, Shape.threads>;
  using Rows::a_, Rows::lane_, Rows::warp_, Rows::head, Rows::keys, Rows::key_tiles, Rows::head_tiles;
  using Rows::row_chunks, Rows::rows_apart;
  using typename Rows::Scores;
  static constexpr int panel_chunks = 8, depth_steps = (head + 15) / 16, sum_tiles = head_tiles + 1;
  // Weights may be this much larger than 1, as a power of two, before sums are brought to a larger score:
  // that is rare then.
  static constexpr float most_log2 = 8;

 public:
  __device__ AttentionWarpgroups(const AttentionLaunch& a, unsigned char* shared)
      : Rows(a, shared), address_(shared_address(shared)) {
    const int row = static_cast<int>(threadIdx.x) / row_chunks, column = threadIdx.x % row_chunks;
    const int64_t at = static_cast<int64_t>(row) * this->c_ + column * chunk;
    next_keys_ = this->k_ + at;
    next_values_ = this->v_ + at;
    left_ = static_cast<int>(a_.op.lk) - row;
  }

  __device__ void run() {
    const int steps = this->steps();
    copy_queries();
    copy_step(0);
    fill_constants();
    for (int step = 0; step < steps; step++) {
      wait_for_copies<0>();
      publish_to_tensor_cores();
      __syncthreads();  // keys and values are here, and all have multiplied those of the step before
      if (step + 1 < steps) copy_step(step + 1);
      Scores scores;
      multiply_keys(scores[0], step);
      this->hide(scores, step);
      exponentiate(scores[0]);
      multiply_values(scores[0], step);
    }
    __syncthreads();
    store();
  }

 private:
  __device__ static uint32_t place(int row, int column, int panel_bytes) {
    return column / panel_chunks * panel_bytes + swizzle<panel_chunks>(row, column % panel_chunks);
  }
  __device__ uint32_t stage_of(int step) const {
    return address_ + step % Shape.stages * Shape.stage_bytes();
  }

  __device__ void copy_queries() {
    this->template copy_rows<Shape.queries()>(
        this->q_, this->first_, static_cast<int>(a_.op.lq), [this](int row, int column) {
          return address_ + Shape.queries_at() + place(row, column, Shape.queries() * Shape.panel_row_bytes);
        });
  }

  // The next ones, in their order.
  __device__ void copy_step(int step) {
    if (Shape.threads % row_chunks == 0 || threadIdx.x < rows_apart * row_chunks) {
      copy_tile(next_keys_, this->k_, stage_of(step));
      copy_tile(next_values_, this->v_, stage_of(step) + Shape.tile_bytes());
    }
    next_keys_ += static_cast<int64_t>(keys) * this->c_;
    next_values_ += static_cast<int64_t>(keys) * this->c_;
    left_ -= keys;
    commit_copies();
  }
  __device__ void copy_tile(const Element* from, const Element* readable, uint32_t tile) {
    const int row = static_cast<int>(threadIdx.x) / row_chunks, column = threadIdx.x % row_chunks;
#pragma unroll
    for (int i = 0; i < (keys + rows_apart - 1) / rows_apart; i++) {
      if ((i + 1) * rows_apart > keys && row + i * rows_apart >= keys) continue;
      const bool wanted = i * rows_apart < left_;
      copy_async(tile + place(row + i * rows_apart, column, Shape.panel_bytes()),
                 wanted ? from + static_cast<int64_t>(i) * rows_apart * this->c_ : readable, wanted);
    }
  }

  // The column of ones, and zeros behind queries and keys where the last product along a head is half empty:
  // what lies there else may be no number, which zeros do not make one.
  __device__ void fill_constants() {
    Chunk one = {1};
    for (int i = threadIdx.x; i < Shape.ones_panels() * keys; i += Shape.threads) {
      const int at = Shape.ones_at(i / keys) + swizzle<panel_chunks>(i % keys, Shape.ones_chunk());
      tintype::cuda::store(reinterpret_cast<Element*>(this->shared_ + at), one);
    }
    if constexpr (head % 16 != 0) {
      constexpr int query_panel_bytes = Shape.queries() * Shape.panel_row_bytes;
      for (int i = threadIdx.x; i < Shape.queries(); i += Shape.threads) {
        clear(Shape.queries_at() + place(i, head_tiles, query_panel_bytes));
      }
      for (int i = threadIdx.x; i < Shape.stages * keys; i += Shape.threads) {
        clear(i / keys * Shape.stage_bytes() + place(i % keys, head_tiles, Shape.panel_bytes()));
      }
    }
  }
  __device__ void clear(int at) {
    *reinterpret_cast<uint4*>(this->shared_ + at) = make_uint4(0, 0, 0, 0);
  }

  __device__ void multiply_keys(float (&scores)[key_tiles][4], int step) {
    const uint32_t q = address_ + Shape.queries_at() + warp_ / 4 * 64 * Shape.panel_row_bytes;
    const uint32_t k = stage_of(step);
    begin_products();
#pragma unroll
    for (int s = 0; s < depth_steps; s++) {
      const uint64_t a = matrix_descriptor(q + s / 4 * Shape.queries() * Shape.panel_row_bytes + s % 4 * 32);
      const uint64_t b = matrix_descriptor(k + s / 4 * Shape.panel_bytes() + s % 4 * 32);
      if (s == 0) {
        warpgroup_multiply(scores, a, b);
      } else {
        warpgroup_multiply_add(scores, a, b);
      }
    }
    commit_products();
    wait_for_products<0>();
  }

  // Scores become weights relative to about the largest so far.
  __device__ void exponentiate(float (&scores)[key_tiles][4]) {
    float base[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {  // rows lane / 4 and lane / 4 + 8
      float largest = scores[0][half * 2];
#pragma unroll
      for (int n = 0; n < key_tiles; n++) {
        largest = fmaxf(largest, fmaxf(scores[n][half * 2], scores[n][half * 2 + 1]));
      }
      largest = fmaxf(largest, __shfl_xor_sync(0xffffffff, largest, 1));
      largest = fmaxf(largest, __shfl_xor_sync(0xffffffff, largest, 2));
      base[half] = largest * a_.scale_log2;
    }
    const bool grows = base[0] > base_[0] + most_log2 || base[1] > base_[1] + most_log2;
    if (__ballot_sync(0xffffffff, grows) != 0) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const float larger = fmaxf(base[half], base_[half]), shrink = exp2(base_[half] - larger);
        base_[half] = larger;
#pragma unroll
        for (int n = 0; n < sum_tiles; n++) {
          sums_[n][half * 2] *= shrink;
          sums_[n][half * 2 + 1] *= shrink;
        }
      }
    }
#pragma unroll
    for (int n = 0; n < key_tiles; n++) {
#pragma unroll
      for (int e = 0; e < 4; e++) scores[n][e] = exp2(fmaf(scores[n][e], a_.scale_log2, -base_[e / 2]));
    }
  }

  __device__ void multiply_values(const float (&scores)[key_tiles][4], int step) {
    const uint32_t v = stage_of(step) + Shape.tile_bytes();
    const int next_panel = Shape.next_panel(step % Shape.stages);
    uint32_t weights[keys / 16][4];
#pragma unroll
    for (int s = 0; s < keys / 16; s++) this->pack_weights(weights[s], scores, s);
    begin_products();
#pragma unroll
    for (int s = 0; s < keys / 16; s++) {
      const uint64_t b = matrix_descriptor(v + s * 16 * Shape.panel_row_bytes, next_panel);
      warpgroup_multiply_add(sums_, weights[s], b);
    }
    commit_products();
    wait_for_products<0>();
  }

  __device__ void store() {
    float factors[1][2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
      factors[0][half] = 1.f / __shfl_sync(0xffffffff, sums_[head_tiles][half * 2], lane_ & ~3);
    }
    Rows::store(reinterpret_cast<const float(&)[1][sum_tiles][4]>(sums_), factors);
  }

  uint32_t address_;
  const Element *next_keys_, *next_values_;
  int left_;
  float sums_[sum_tiles][4] = {};
  float base_[2] = {-INFINITY, -INFINITY};
};

}  // namespace tintype::cuda
