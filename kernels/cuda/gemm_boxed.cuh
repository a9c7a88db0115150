// The matrix product of a block of sm_90 whose operands the copy engine brings: one thread asks for boxes of
// A and B some steps ahead, one or two groups of four warps multiply them. Two barriers for each step in
// shared memory say when it has arrived, and when all have read it.
#pragma once
#include <type_traits>

#include "box_copy.cuh"
#include "gemm.cuh"
#include "mbarrier.cuh"

namespace tintype::cuda {

enum class BoxedRows { plain, joined, patches };

template <GemmTile Tile, BoxedRows Rows, GemmKind Kind>
class BoxedGemmBlock : GemmBlock<Tile, Kind> {
  using Base = GemmBlock<Tile, Kind>;
  using Base::a_, Base::shared_, Base::address_, Base::row_tile_, Base::column_tile_, Base::layer_;

 public:
  __device__ BoxedGemmBlock(const BoxedGemmArgs& a, unsigned char* shared)
      : Base(a.gemm, shared),
        maps_(a),
        first_k_(blockIdx.z * a.gemm.split_depth),
        depth_(min(a.gemm.k - first_k_, a.gemm.split_depth)) {}

  __device__ void run() {
    if (threadIdx.x == 0) {
#pragma unroll
      for (int s = 0; s < Tile.stages; s++) {
        init_barrier(arrived(s), 1);
        init_barrier(read(s), Tile.warps());
      }
      publish_barriers();
    }
    __syncthreads();
    this->find_tile();
    if (threadIdx.x >= Tile.multipliers()) {
      give_registers();
      if (threadIdx.x == Tile.multipliers()) copy();
    } else {
      take_registers();
      multiply();
    }
  }

 private:
  // Registers of a thread are as many as all threads of a processor can have; sums need more, copies fewer.
  static constexpr bool moves_registers = Tile.copiers == 4;
  static __device__ void give_registers() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    if constexpr (moves_registers) asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
#endif
  }
  static __device__ void take_registers() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    if constexpr (moves_registers) asm volatile("setmaxnreg.inc.sync.aligned.u32 216;");
#endif
  }

  __device__ uint32_t arrived(int stage) const {
    return address_ + Tile.tile_bytes() + stage * 16;
  }
  __device__ uint32_t read(int stage) const {
    return arrived(stage) + 8;
  }
  __device__ uint32_t stage_at(int number) const {
    return address_ + number * Tile.stage_bytes();
  }
  __device__ int steps() const {
    return (depth_ + Tile.depth - 1) / Tile.depth;
  }

  // Stages one after the other, around and around; the parity is that of the phase in which they are read.
  struct Ring {
    int stage = 0;
    uint32_t parity = 0;
    __device__ void advance() {
      if (++stage == Tile.stages) {
        stage = 0;
        parity ^= 1;
      }
    }
  };

  __device__ void copy() {
    const int row = row_tile_ * Tile.m, column = column_tile_ * Tile.n;
    const TensorMap& b = maps_.b[Base::has_layers ? layer_ : 0];
    // Of all quarters the first pixels are those of the first: others move the taps.
    const Quarter quarter = this->quarter();
    const Patch patch(a_, Rows == BoxedRows::patches ? row : 0);
    const int tap = first_k_ / a_.c;
    int k = first_k_, channel = first_k_ - tap * a_.c, tap_y = tap / a_.kw, tap_x = tap - tap_y * a_.kw;
    Ring ring;
    for (int left = steps(); left > 0; left--) {
      const uint32_t stage = stage_at(ring.stage), barrier = arrived(ring.stage);
      wait_for_phase(read(ring.stage), ring.parity ^ 1);
      arrive_expecting(barrier, Tile.stage_bytes());
      if constexpr (Rows == BoxedRows::patches) {
        const int right = tap_x + quarter.right, down = tap_y + quarter.down;
        copy_patches(stage, maps_.a, channel, patch.x, patch.y, patch.picture, right, down, barrier);
        channel += Tile.depth;
        if (channel == a_.c) {
          channel = 0;
          if (++tap_x == a_.kw) {
            tap_x = 0;
            tap_y++;
          }
        }
      } else if (Rows == BoxedRows::joined && k >= a_.first_k) {
        copy_rows(stage, maps_.second, k - a_.first_k, row, barrier);
      } else {
        copy_rows(stage, maps_.a, k, row, barrier);
      }
      copy_rows(stage + Tile.m * Tile.depth * 2, b, k, column, barrier);
      k += Tile.depth;
      ring.advance();
    }
  }

  __device__ void multiply() {
    RowMoments<Tile> moments;
    if (this->has_norm()) moments.begin(a_, row_tile_ * Tile.m, first_k_);
    Ring ring;
    int before = 0;
    for (int left = depth_; left > 0; left -= Tile.depth) {
      wait_for_phase(arrived(ring.stage), ring.parity);
      this->begin_multiplying(stage_at(ring.stage));
      if (this->has_norm()) moments.add(shared_ + ring.stage * Tile.stage_bytes(), left);
      // The products of the step before are finished, so that it may be overwritten; these go on.
      wait_for_products<1>();
      __syncwarp();
      if (left != depth_ && threadIdx.x % 32 == 0) arrive(read(before));
      before = ring.stage;
      ring.advance();
    }
    wait_for_products<0>();
    this->meet();
    if (this->has_norm()) this->normalize_sums(column_tile_ * Tile.n, moments.of(depth_));
    this->store_tile(row_tile_ * Tile.m, column_tile_ * Tile.n);
  }

  const BoxedGemmArgs& maps_;
  const int first_k_, depth_;
};

template <GemmTile Tile, BoxedRows Rows, GemmKind Kind = GemmKind::plain>
__device__ void boxed_gemm(const BoxedGemmArgs& a) {
  if constexpr (has_tile(Tile, architecture_built, is_fast, Copying::engine)) {
    extern __shared__ __align__(1024) unsigned char gemm_shared[];
    BoxedGemmBlock<of_copy_engine(Tile), Rows, Kind>(a, gemm_shared).run();
  } else {
    __trap();
  }
}

// Rows come by the copy engine wherever there is one.
inline constexpr Copying rows_by = by_warpgroups ? Copying::engine : Copying::threads;
using RowsGemmArgs = std::conditional_t<by_warpgroups, BoxedGemmArgs, GemmArgs>;

constexpr GemmTile rows_tile(const GemmTile& tile) {
  return tile_on(tile, architecture_built, rows_by);
}

template <GemmTile Tile, template <int, int, int> class Gather, BoxedRows Rows, GemmKind Kind>
__device__ void rows_gemm(const RowsGemmArgs& a) {
  if constexpr (by_warpgroups) {
    boxed_gemm<Tile, Rows, Kind>(a);
  } else {
    gemm<Tile, Gather, Kind>(a);
  }
}

}  // namespace tintype::cuda
