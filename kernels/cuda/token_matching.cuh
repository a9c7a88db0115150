// The destination that resembles each source most: the matrix of all products lives in registers only, a tile
// at a time. Tensor cores.
#pragma once
#include "async_copy.cuh"
#include "swizzle.cuh"
#include "tensor_core.cuh"
#include "token_map.cuh"

namespace tintype::cuda {

// What a source has found so far.
struct Match {
  float product = -INFINITY;  // with the destination divided by its length
  int window = 0;

  // Of equal ones the first stays, and what is no number never comes.
  __device__ void join(float other, int other_window) {
    if (other > product || (other == product && other_window < window))
      product = other, window = other_window;
  }
};

// V channels are copied at a time: 8, or 1 where rows begin anywhere.
template <int V>
class MatchBlock {
  static constexpr MatchTile tile = match_tile;
  static constexpr int tiles_m = tile.warp_sources / 16, tiles_n = tile.warp_destinations / 8;
  static constexpr int across = tile.destinations / tile.warp_destinations;  // warps that share sources
  static constexpr int ahead = tile.stages - 1;                              // steps that are copied ahead
  // A thread copies one 16-byte column of every rows_apart-th row.
  static constexpr int row_chunks = tile.depth / 8, rows_apart = tile.threads() / row_chunks;
  static constexpr int own_sources = tile.sources / rows_apart,
                       own_destinations = tile.destinations / rows_apart;

 public:
  __device__ MatchBlock(const MatchLaunch& a, unsigned char* shared)
      : a_(a), shared_(shared), lane_(threadIdx.x % 32) {
    const int warp = threadIdx.x / 32;
    warp_source_ = warp / across * tile.warp_sources;
    warp_destination_ = warp % across * tile.warp_destinations;
    own_sources_at_ = swizzle<row_chunks>(warp_source_ + lane_ % 16, lane_ / 16);
    own_destinations_at_ =
        swizzle<row_chunks>(tile.sources + warp_destination_ + lane_ % 8 + lane_ / 16 * 8, lane_ / 8 % 2);
    first_source_ = blockIdx.x * tile.sources;
    windows_ = static_cast<int>(a.op.windows);
    c_ = static_cast<int>(a.op.c);
    first_token_ = blockIdx.y * a.op.h * a.op.w;
    x_ = elements(a.op.x) + first_token_ * c_;
  }

  __device__ void run() {
#pragma unroll
    for (int i = 0; i < own_sources; i++) sources_[i] = source(own_row() + i * rows_apart);
    const int depth_steps = (c_ + tile.depth - 1) / tile.depth;
    const int steps = (windows_ + tile.destinations - 1) / tile.destinations * depth_steps;
    find_destinations();
#pragma unroll
    for (int s = 0; s < ahead; s++) {
      if (s < steps) copy_step(s);
      commit_copies();
    }
    int reading = 0, writing = ahead, depth_step = 0, window = 0;
    for (int step = 0; step < steps; step++) {
      wait_for_copies<ahead - 1>();
      __syncthreads();  // the step has arrived for all, and all have read the stage that is written next
      if (step + ahead < steps) copy_step(writing);
      commit_copies();
      multiply(reading * tile.stage_bytes());
      if (++depth_step == depth_steps) {
        compare(window);
        depth_step = 0, window += tile.destinations;
      }
      reading = reading + 1 == tile.stages ? 0 : reading + 1;
      writing = writing + 1 == tile.stages ? 0 : writing + 1;
    }
    wait_for_copies<0>();
    __syncthreads();
    finish();
  }

 private:
  static __device__ int own_row() {
    return static_cast<int>(threadIdx.x) / row_chunks;
  }

  // The token in a row of the block, -1 where there is none.
  __device__ int source(int row) const {
    const int index = first_source_ + row, window = index / window_sources;
    return window < windows_ ? TokenMap(a_.op).source_of(window, index - window * window_sources) : -1;
  }

  // The destinations of the rows that this thread copies.
  __device__ void find_destinations() {
#pragma unroll
    for (int i = 0; i < own_destinations; i++) {
      const int window = copied_window_ + own_row() + i * rows_apart;
      destinations_[i] = window < windows_ ? a_.destinations[window] : -1;
    }
  }

  // Channels [copied_channel_, + depth) of the sources, then of the destinations; the next ones are those
  // that follow.
  __device__ void copy_step(int stage) {
    const int chunk = threadIdx.x % row_chunks, channel = copied_channel_ + chunk * 8;
    const int target = stage * tile.stage_bytes() + swizzle<row_chunks>(own_row(), chunk);
    constexpr int bytes_apart = rows_apart * tile.row_bytes();
    static_assert(rows_apart % 8 == 0, "the swizzle of a thread's rows must be the same");
#pragma unroll
    for (int i = 0; i < own_sources; i++) copy_chunk(target + i * bytes_apart, sources_[i], channel);
#pragma unroll
    for (int i = 0; i < own_destinations; i++) {
      copy_chunk(target + tile.sources * tile.row_bytes() + i * bytes_apart, destinations_[i], channel);
    }
    copied_channel_ += tile.depth;
    if (copied_channel_ < c_) return;
    copied_channel_ = 0;
    copied_window_ += tile.destinations;
    find_destinations();
  }

  // Zeros where there is no token, and behind its last channel.
  __device__ void copy_chunk(int target, int token, int channel) {
    const Element* from = x_ + static_cast<int64_t>(token) * c_ + channel;
    if constexpr (V == 8) {
      const bool wanted = token >= 0 && channel < c_;
      copy_async(shared_address(shared_ + target), wanted ? from : x_, wanted);
    } else {
      Element* to = reinterpret_cast<Element*>(shared_ + target);
#pragma unroll 1
      for (int i = 0; i < 8; i++) to[i] = token >= 0 && channel + i < c_ ? from[i] : Element{0};
    }
  }

  __device__ void multiply(int stage) {
    const uint32_t first = shared_address(shared_ + stage);
#pragma unroll
    for (int k = 0; k < tile.depth / 16; k++) {
      uint32_t a[tiles_m][4], b[tiles_n / 2][4];
      // Two chunks further along the row.
      const uint32_t sources = first + (own_sources_at_ ^ k * 32),
                     destinations = first + (own_destinations_at_ ^ k * 32);
#pragma unroll
      for (int m = 0; m < tiles_m; m++) load_matrices(a[m], sources + m * 16 * tile.row_bytes());
#pragma unroll
      for (int n = 0; n < tiles_n / 2; n++) load_matrices(b[n], destinations + n * 16 * tile.row_bytes());
#pragma unroll
      for (int m = 0; m < tiles_m; m++) {
#pragma unroll
        for (int n = 0; n < tiles_n; n++) {
          multiply_add(sums_[m][n], a[m], b[n / 2][n % 2 * 2], b[n / 2][n % 2 * 2 + 1]);
        }
      }
    }
  }

  // Takes the products with the destinations of the windows from `first` on, and begins the next ones.
  __device__ void compare(int first) {
    const float* inverse = a_.destination_inverse + static_cast<int64_t>(blockIdx.y) * windows_;
#pragma unroll
    for (int n = 0; n < tiles_n; n++) {
#pragma unroll
      for (int i = 0; i < 2; i++) {
        const int window = first + warp_destination_ + n * 8 + lane_ % 4 * 2 + i;
        const float factor = window < windows_ ? inverse[window] : 0.f;
#pragma unroll
        for (int m = 0; m < tiles_m; m++) {
#pragma unroll
          for (int half = 0; half < 2; half++) {
            float& sum = sums_[m][n][half * 2 + i];
            if (window < windows_) matches_[m][half].join(sum * factor, window);
            sum = 0;
          }
        }
      }
    }
  }

  // Joins what the lanes of a row, then the warps that share it, have found.
  __device__ void finish() {
    Match* of_warps =
        reinterpret_cast<Match*>(shared_) + warp_destination_ / tile.warp_destinations * tile.sources;
#pragma unroll
    for (int m = 0; m < tiles_m; m++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        Match& own = matches_[m][half];
#pragma unroll
        for (int distance = 1; distance <= 2; distance *= 2) {
          const float product = __shfl_xor_sync(0xffffffff, own.product, distance);
          own.join(product, __shfl_xor_sync(0xffffffff, own.window, distance));
        }
        if (lane_ % 4 == 0) of_warps[warp_source_ + m * 16 + half * 8 + lane_ / 4] = own;
      }
    }
    __syncthreads();
    const int row = threadIdx.x, token = row < tile.sources ? source(row) : -1;
    if (token < 0) return;
    Match found;
#pragma unroll
    for (int i = 0; i < across; i++) {
      const Match& part = reinterpret_cast<const Match*>(shared_)[i * tile.sources + row];
      found.join(part.product, part.window);
    }
    const int64_t at = first_token_ + token;
    const float cosine = found.product * a_.source_inverse[at];
    a_.cosine[at] = cosine > -2.f ? cosine : -2.f;  // what is not finite resembles nothing
    a_.nearest[at] = found.window;
  }

  const MatchLaunch& a_;
  unsigned char* shared_;
  int lane_, warp_source_, warp_destination_, first_source_, windows_, c_;
  int64_t first_token_;                            // of the picture
  uint32_t own_sources_at_, own_destinations_at_;  // what this lane reads of a stage
  const Element* x_;
  int sources_[own_sources], destinations_[own_destinations];
  int copied_channel_ = 0, copied_window_ = 0;
  float sums_[tiles_m][tiles_n][4] = {};
  Match matches_[tiles_m][2];
};

}  // namespace tintype::cuda
