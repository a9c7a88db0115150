// Attention for a head of 512 channels: FlashAttention-2 over a whole block. Sums of a query are spread over
// four warps, which therefore hand weights to one another through shared memory. Bound by tensor cores, on
// sm_80 and 90 also by shared memory.
#include "attention.h"
#include "attention_wide.h"
#include "gemm_gather.cuh"
#include "math.cuh"
#include "tensor_core.cuh"

namespace tintype::cuda {

#if __CUDA_ARCH__ >= 800
inline constexpr WideAttention wide = wide_attention(80);
#else
inline constexpr WideAttention wide = wide_attention(75);
#endif

class WideAttentionBlock {
  static constexpr int head = wide.head, keys = wide.keys, slices = head / wide.slice;
  static constexpr int tiles = wide.queries / wide.warps_q / 16;  // of 16 queries, of a warp
  static constexpr int own_keys = keys / wide.warps_k, key_tiles = own_keys / 8;
  static constexpr int own_channels = head / wide.warps_k, head_tiles = own_channels / 8;
  static constexpr int value_slices = keys / wide.value_slice, chunks = head / 8;
  using GatherQueries = RowsGather<wide.queries, wide.threads, wide.slice>;
  using GatherKeys = RowsGather<keys, wide.threads, wide.slice>;

 public:
  __device__ WideAttentionBlock(const AttentionLaunch& a, unsigned char* shared)
      : a_(a),
        shared_(shared),
        address_(shared_address(shared)),
        lane_(threadIdx.x % 32),
        row_(threadIdx.x / 32 / wide.warps_k * (tiles * 16)),
        quarter_(threadIdx.x / 32 % wide.warps_k) {
    c_ = static_cast<int>(a.op.c);
    lk_ = static_cast<int>(a.op.lk);
    first_ = blockIdx.x * wide.queries;
    q_ = elements(a.op.q) + blockIdx.z * a.op.lq * c_ + blockIdx.y * head;
    k_ = elements(a.op.k) + blockIdx.z * a.op.lk * c_ + blockIdx.y * head;
    v_ = elements(a.op.v) + blockIdx.z * a.op.lk * c_ + blockIdx.y * head;
#pragma unroll
    for (int t = 0; t < tiles; t++) largest_[t][0] = largest_[t][1] = -INFINITY;
  }

  // Groups of copies go in this order: the first values of a step, its slices of queries and keys, its other
  // values.
  __device__ void run() {
    const bool causal = a_.op.mask == Mask::causal;
    const int seen = causal ? min(lk_, first_ + wide.queries) : lk_;
    const int steps = (seen + keys - 1) / keys;
    copy_values(0, 0);
    commit_copies();
    begin_slices(0);
    for (int step = 0; step < steps; step++) {
      const int first_key = step * keys;
      float scores[tiles][key_tiles][4] = {};
      multiply_slices(first_key, scores);
      if (first_key + keys > (causal ? first_ + 1 : lk_)) hide(scores, first_key, causal);
      find_largest(scores);
      __syncthreads();  // all have found their largest scores, and read the last slice
      if (step + 1 < steps) begin_slices(first_key + keys);
      exponentiate(scores);
      multiply_values(first_key, step + 1 < steps);
    }
    wait_for_copies<0>();
    store();
  }

 private:
  __device__ void copy_slice(int first_key, int slice) {
    const int k = slice * wide.slice;
    const uint32_t target = address_ + slice % wide.stages * wide.stage_bytes() +
                            GatherShape<wide.queries, wide.threads, wide.slice>::own_place();
    GatherQueries(q_, first_, static_cast<int>(a_.op.lq), c_, k, head).copy_step(target);
    GatherKeys(k_, first_key, lk_, c_, k, head).copy_step(target + wide.queries * wide.slice * 2);
  }

  __device__ void begin_slices(int first_key) {
#pragma unroll
    for (int s = 0; s < wide.stages - 1; s++) {
      copy_slice(first_key, s);
      commit_copies();
    }
  }

  // Rows of 64 chunks, of which the low three bits of a column are mixed with the row.
  __device__ static uint32_t value_place(int row, int column) {
    return static_cast<uint32_t>(row * head * 2 + ((column ^ (row & 7)) << 4));
  }

  __device__ void copy_values(int first_key, int slice) {
    const uint32_t target = address_ + wide.values_at() + slice % 2 * wide.value_bytes();
#pragma unroll
    for (int i = 0; i < wide.value_slice * chunks / wide.threads; i++) {
      const int at = i * wide.threads + static_cast<int>(threadIdx.x), row = at / chunks,
                column = at % chunks;
      const int key = first_key + slice * wide.value_slice + row;
      const bool wanted = key < lk_;
      copy_async(target + value_place(row, column),
                 wanted ? v_ + static_cast<int64_t>(key) * c_ + column * 8 : v_, wanted);
    }
  }

  __device__ void multiply_slices(int first_key, float (&scores)[tiles][key_tiles][4]) {
#pragma unroll 1
    for (int slice = 0; slice < slices; slice++) {
      wait_for_copies<wide.stages - 2>();
      __syncthreads();  // the slice has arrived for all, and all have read what is written next
      if (slice + wide.stages - 1 < slices) copy_slice(first_key, slice + wide.stages - 1);
      commit_copies();
      const uint32_t queries = address_ + slice % wide.stages * wide.stage_bytes();
      const uint32_t other = queries + wide.queries * wide.slice * 2;
#pragma unroll
      for (int k = 0; k < wide.slice / 16; k++) {
        uint32_t q[tiles][4];
#pragma unroll
        for (int t = 0; t < tiles; t++) {
          load_matrices(q[t],
                        queries + swizzle<wide.slice / 8>(row_ + t * 16 + lane_ % 16, k * 2 + lane_ / 16));
        }
#pragma unroll
        for (int n = 0; n < key_tiles / 2; n++) {
          uint32_t b[4];
          const int row = quarter_ * own_keys + n * 16 + lane_ % 8 + lane_ / 16 * 8;
          load_matrices(b, other + swizzle<wide.slice / 8>(row, k * 2 + lane_ / 8 % 2));
#pragma unroll
          for (int t = 0; t < tiles; t++) {
            multiply_add(scores[t][n * 2], q[t], b[0], b[1]);
            multiply_add(scores[t][n * 2 + 1], q[t], b[2], b[3]);
          }
        }
      }
    }
  }

  __device__ void hide(float (&scores)[tiles][key_tiles][4], int first_key, bool causal) {
#pragma unroll
    for (int t = 0; t < tiles; t++) {
#pragma unroll
      for (int n = 0; n < key_tiles; n++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
          const int key = first_key + quarter_ * own_keys + n * 8 + lane_ % 4 * 2 + e % 2;
          const int query = first_ + row_ + t * 16 + lane_ / 4 + e / 2 * 8;
          if (key >= lk_ || (causal && key > query)) scores[t][n][e] = -INFINITY;
        }
      }
    }
  }

  // Where a quarter of the keys puts what it has found about a query.
  __device__ float* found(int quarter, int row) const {
    return reinterpret_cast<float*>(shared_ + wide.found_at()) + quarter * wide.queries + row;
  }

  // All sums and maxima over lanes come first: nvcc would copy a shuffle into both branches of what it finds
  // between.
  __device__ void publish(const float (&values)[tiles][2]) {
    if (lane_ % 4 != 0) return;
#pragma unroll
    for (int t = 0; t < tiles; t++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        *found(quarter_, row_ + t * 16 + half * 8 + lane_ / 4) = values[t][half];
      }
    }
  }

  __device__ void find_largest(const float (&scores)[tiles][key_tiles][4]) {
    float all[tiles][2];
#pragma unroll
    for (int t = 0; t < tiles; t++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        float largest = -INFINITY;
#pragma unroll
        for (int n = 0; n < key_tiles; n++) {
          largest = fmaxf(largest, fmaxf(scores[t][n][half * 2], scores[t][n][half * 2 + 1]));
        }
        largest = fmaxf(largest, __shfl_xor_sync(0xffffffff, largest, 1));
        largest = fmaxf(largest, __shfl_xor_sync(0xffffffff, largest, 2));
        all[t][half] = largest;
      }
    }
    publish(all);
  }

  // Rows of weights are 64 or 128 keys: their chunks are mixed with the row as those of values.
  __device__ uint32_t weight_place(int row, int chunk) const {
    return static_cast<uint32_t>(wide.weights_at() + row * keys * 2 + ((chunk ^ (row & 7)) << 4));
  }

  __device__ void exponentiate(float (&scores)[tiles][key_tiles][4]) {
#pragma unroll
    for (int t = 0; t < tiles; t++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int row = row_ + t * 16 + half * 8 + lane_ / 4;
        float largest = largest_[t][half];
#pragma unroll
        for (int quarter = 0; quarter < wide.warps_k; quarter++)
          largest = fmaxf(largest, *found(quarter, row));
        const float base = largest * a_.scale_log2;
        const float shrink = exp2(largest_[t][half] * a_.scale_log2 - base);
        largest_[t][half] = largest;
        float sum = 0;
#pragma unroll
        for (int n = 0; n < key_tiles; n++) {
          const float low = exp2(fmaf(scores[t][n][half * 2], a_.scale_log2, -base));
          const float high = exp2(fmaf(scores[t][n][half * 2 + 1], a_.scale_log2, -base));
          sum += low + high;
          const uint32_t place = weight_place(row, quarter_ * (own_keys / 8) + n) + lane_ % 4 * 4;
          *reinterpret_cast<uint32_t*>(shared_ + place) = pack(low, high);
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

  __device__ void multiply_values(int first_key, bool goes_on) {
#pragma unroll 1
    for (int slice = 0; slice < value_slices; slice++) {
      wait_for_copies<0>();
      __syncthreads();  // weights and values are here, and all have read the values before
      if (slice + 1 < value_slices) {
        copy_values(first_key, slice + 1);
      } else if (goes_on) {
        copy_values(first_key + keys, 0);
      }
      commit_copies();
      uint32_t weights[tiles][4];
#pragma unroll
      for (int t = 0; t < tiles; t++) {
        load_matrices(weights[t],
                      address_ + weight_place(row_ + t * 16 + lane_ % 16, slice * 2 + lane_ / 16));
      }
      const uint32_t from = address_ + wide.values_at() + slice % 2 * wide.value_bytes();
#pragma unroll
      for (int n = 0; n < head_tiles / 2; n++) {
        uint32_t v[4];
        load_matrices_transposed(
            v, from + value_place(lane_ % 16, (quarter_ * head_tiles) + n * 2 + lane_ / 16));
#pragma unroll
        for (int t = 0; t < tiles; t++) {
          multiply_add(sums_[t][n * 2], weights[t], v[0], v[1]);
          multiply_add(sums_[t][n * 2 + 1], weights[t], v[2], v[3]);
        }
      }
    }
  }

  // Each quarter has summed up the weights of its own keys.
  __device__ void store() {
    __syncthreads();
    float totals[tiles][2];
#pragma unroll
    for (int t = 0; t < tiles; t++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        float total = weights_[t][half];
        total += __shfl_xor_sync(0xffffffff, total, 1);
        total += __shfl_xor_sync(0xffffffff, total, 2);
        totals[t][half] = total;
      }
    }
    publish(totals);
    __syncthreads();
    Element* y = elements(a_.op.y) + blockIdx.z * a_.op.lq * c_ + blockIdx.y * head;
#pragma unroll
    for (int t = 0; t < tiles; t++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int row = row_ + t * 16 + half * 8 + lane_ / 4, query = first_ + row;
        float total = 0;
#pragma unroll
        for (int quarter = 0; quarter < wide.warps_k; quarter++) total += *found(quarter, row);
        const float factor = 1.f / total;
        if (query >= a_.op.lq) continue;
        Element* out = y + static_cast<int64_t>(query) * c_ + quarter_ * own_channels + lane_ % 4 * 2;
#pragma unroll
        for (int n = 0; n < head_tiles; n++) {
          *reinterpret_cast<uint32_t*>(out + n * 8) =
              pack(sums_[t][n][half * 2] * factor, sums_[t][n][half * 2 + 1] * factor);
        }
      }
    }
  }

  const AttentionLaunch& a_;
  unsigned char* shared_;
  uint32_t address_;
  int lane_, row_, quarter_, c_, lk_, first_;
  const Element *q_, *k_, *v_;
  float sums_[tiles][head_tiles][4] = {};
  float largest_[tiles][2], weights_[tiles][2] = {};
};

extern "C" __global__ void __launch_bounds__(wide.threads, 1)
    attention_512(const __grid_constant__ AttentionLaunch a) {
  extern __shared__ __align__(128) unsigned char attention_shared[];
  WideAttentionBlock(a, attention_shared).run();
}

}  // namespace tintype::cuda
