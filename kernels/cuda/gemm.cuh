// The matrix product of a block: tensor cores, copies some steps ahead. FLOP bound where tiles are filled.
#pragma once
#include "gemm_epilogue.cuh"
#include "gemm_gather.cuh"
#include "gemm_norm.cuh"
#include "tensor_core.cuh"

namespace tintype::cuda {

// Of each tile the splits that have stored their sums, and of each tile of rows the columns that are
// finished.
static __device__ uint32_t gemm_splits_there[gemm_counters], gemm_columns_there[gemm_counters];

// What happens to sums beside what GemmArgs says: values and gates are joined, or there may be several layers
// and a norm behind them.
enum class GemmKind { plain, gated, joined };

template <GemmTile Tile, GemmKind Kind>
class GemmBlock {
  static constexpr bool gated = Kind == GemmKind::gated;
  static constexpr int tiles_m = Tile.warp_m / 16, tiles_n = Tile.warp_n / 8;
  using GatherB = RowsGather<Tile.n, Tile.threads()>;

 public:
  __device__ GemmBlock(const GemmArgs& a, unsigned char* shared)
      : a_(a),
        shared_(shared),
        address_(shared_address(shared)),
        lane_(threadIdx.x % 32),
        warp_row_(threadIdx.x / 32 / (Tile.n / Tile.warp_n) * Tile.warp_m),
        warp_column_(threadIdx.x / 32 % (Tile.n / Tile.warp_n) * Tile.warp_n) {}

  template <template <int, int> class GatherA>
  __device__ void run() {
    const int first_k = blockIdx.z * a_.split_depth, end_k = min(a_.k, first_k + a_.split_depth);
    find_tile();
    const int row = row_tile_ * Tile.m, column = column_tile_ * Tile.n;
    GatherA<Tile.m, Tile.threads()> gather_a(a_, row, first_k, end_k);
    // Columns of B behind the last are 0, those of the next split are not.
    GatherB gather_b(layer().b, column, a_.n, a_.b_stride, first_k, end_k);
    const uint32_t own = swizzle(threadIdx.x / gemm_chunks, threadIdx.x % gemm_chunks);
    const auto copy_step = [&](int stage) {
      const uint32_t target = address_ + stage * Tile.stage_bytes() + own;
      gather_a.copy_step(target);
      gather_b.copy_step(target + Tile.m * gemm_depth * 2);
    };
    const int steps = (end_k - first_k + gemm_depth - 1) / gemm_depth;
#pragma unroll
    for (int s = 0; s < Tile.stages - 1; s++) {
      if (s < steps) copy_step(s);
      commit_copies();
    }
    int reading = 0, writing = Tile.stages - 1;
    for (int step = 0; step < steps; step++) {
      wait_for_copies<Tile.stages - 2>();
      __syncthreads();  // the step has arrived for all, and all have read the stage that is written next
      if (step + Tile.stages - 1 < steps) copy_step(writing);
      commit_copies();
      const uint32_t stage = address_ + reading * Tile.stage_bytes();
      if constexpr (is_fast) {
        multiply_fast(stage);
      } else {
        multiply(stage);
      }
      reading = reading + 1 == Tile.stages ? 0 : reading + 1;
      writing = writing + 1 == Tile.stages ? 0 : writing + 1;
    }
    wait_for_copies<0>();
    __syncthreads();
    store_tile(row, column);
    finish_tile(row, column);
  }

 private:
  // Panels of some tiles of rows, all their columns one after the other.
  __device__ void find_tile() {
    const int columns = a_.column_tiles * a_.layer_count, of_panel = gemm_panel * columns;
    const int panel = blockIdx.x / of_panel, rest = blockIdx.x - panel * of_panel;
    const int rows = min(gemm_panel, a_.row_tiles - panel * gemm_panel);
    const int all_columns = rest / rows;
    row_tile_ = panel * gemm_panel + rest - all_columns * rows;
    layer_ = Kind == GemmKind::joined ? all_columns / a_.column_tiles : 0;
    column_tile_ = all_columns - layer_ * a_.column_tiles;
  }

  // Chosen by comparisons: parameters are no array that a number finds.
  __device__ GemmLayer layer() const {
    GemmLayer found = a_.layers[0];
    if constexpr (Kind == GemmKind::joined) {
#pragma unroll
      for (int i = 1; i < gemm_layers; i++) {
        if (layer_ == i) found = a_.layers[i];
      }
    }
    return found;
  }

  // 16 rows of A, and 16 columns of B, of the 16 products that begin at k * 16.
  __device__ void load_a(uint32_t (&a)[4], uint32_t stage, int m, int k) const {
    load_matrices(a, stage + swizzle(warp_row_ + m * 16 + lane_ % 16, k * 2 + lane_ / 16));
  }
  __device__ void load_b(uint32_t (&b)[4], uint32_t stage, int n, int k) const {
    const uint32_t stage_b = stage + Tile.m * gemm_depth * 2;
    const int row = warp_column_ + n * 16 + lane_ % 8 + lane_ / 16 * 8;
    load_matrices(b, stage_b + swizzle(row, k * 2 + lane_ / 8 % 2));
  }

  __device__ void multiply(uint32_t stage) {
#pragma unroll
    for (int k = 0; k < gemm_depth / 16; k++) {
      uint32_t a[tiles_m][4], b[tiles_n / 2][4];
#pragma unroll
      for (int m = 0; m < tiles_m; m++) load_a(a[m], stage, m, k);
#pragma unroll
      for (int n = 0; n < tiles_n / 2; n++) load_b(b[n], stage, n, k);
#pragma unroll
      for (int m = 0; m < tiles_m; m++) {
#pragma unroll
        for (int n = 0; n < tiles_n; n++) {
          multiply_add(sums_[m][n], a[m], b[n / 2][n % 2 * 2], b[n / 2][n % 2 * 2 + 1]);
        }
      }
    }
  }

  // The products of a step are summed in fp16, from 0 on, and that is added to the float32 sums. All of A is
  // in registers and B comes 16 columns at a time, so that fp16 sums live no longer than two instructions.
  __device__ void multiply_fast(uint32_t stage) {
    constexpr int parts = gemm_depth / 16;
    uint32_t a[tiles_m][parts][4], b[parts][4];
#pragma unroll
    for (int i = 0; i < tiles_m * parts; i++) load_a(a[i / parts][i % parts], stage, i / parts, i % parts);
#pragma unroll
    for (int n = 0; n < tiles_n; n++) {
      if (n % 2 == 0) {
#pragma unroll
        for (int k = 0; k < parts; k++) load_b(b[k], stage, n / 2, k);
      }
#pragma unroll
      for (int m = 0; m < tiles_m; m++) {
        HalfSums of_step = {};
#pragma unroll
        for (int k = 0; k < parts; k++) multiply_add(of_step, a[m][k], b[k][n % 2 * 2], b[k][n % 2 * 2 + 1]);
        of_step.add_to(sums_[m][n]);
      }
    }
  }

  // Which four floats of a staged row lie in its place `unit`: those that eight lanes read together, some
  // units apart, are of different banks.
  static __device__ constexpr int staged(int unit) {
    return unit ^ (unit / 8 % 4);
  }

  static __device__ void load_staged(const float* row, int column, Chunk& v) {
    const int unit = staged(column / 4);  // of the other half: the neighbour
    const float4 low = *reinterpret_cast<const float4*>(row + unit * 4);
    const float4 high = *reinterpret_cast<const float4*>(row + (unit ^ 1) * 4);
    const float both[] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
    for (int i = 0; i < chunk; i++) v[i] = both[i];
  }

  // Through shared memory, 16 rows of a warp at a time, so that a lane gets eight sums of one row, and their
  // gates.
  __device__ void store_tile(int block_row, int block_column) {
    constexpr int stride = Tile.warp_n + 8, width = gated ? 2 * chunk : chunk, pieces = Tile.warp_n / width;
    float* staging = reinterpret_cast<float*>(shared_) + threadIdx.x / 32 * Tile.staging_floats();
#pragma unroll
    for (int m = 0; m < tiles_m; m++) {
#pragma unroll
      for (int n = 0; n < tiles_n; n++) {
        const float(&s)[4] = sums_[m][n];
        float* place = staging + lane_ / 4 * stride + staged(n * 2 + lane_ % 4 / 2) * 4 + lane_ % 2 * 2;
        *reinterpret_cast<float2*>(place) = make_float2(s[0], s[1]);
        *reinterpret_cast<float2*>(place + 8 * stride) = make_float2(s[2], s[3]);
      }
      __syncwarp();
#pragma unroll 1
      for (int i = lane_; i < 16 * pieces; i += 32) {
        const int r = i / pieces, c = i % pieces * width;
        const int row = block_row + warp_row_ + m * 16 + r, column = block_column + warp_column_ + c;
        if (row < a_.m && column < a_.n) store_piece(staging + r * stride, c, row, column);
      }
      __syncwarp();
    }
  }

  __device__ void store_piece(const float* staging, int staged_column, int row, int column) {
    Chunk v, gate;
    load_staged(staging, staged_column, v);
    if constexpr (gated) load_staged(staging, staged_column + chunk, gate);
    if (a_.splits > 1) {
      const int count = a_.n - column;
      store(partial_of(a_, layer_, blockIdx.z, row, column), min(chunk, count), a_.n % chunk == 0, v);
      if constexpr (gated) store(partial_of(a_, layer_, blockIdx.z, row, column + chunk), gate);
    } else {
      finish_piece(row, column, v, gate);
    }
  }

  __device__ void finish_piece(int row, int column, Chunk& v, Chunk& gate) {
    if constexpr (gated) {
      finish_gated(a_, row, column, v, gate);
    } else {
      finish(a_, layer(), row, column, v);
    }
  }

  // What is left to do where several blocks make a tile, or a row.
  __device__ void finish_tile(int row, int column) {
    uint32_t* word = reinterpret_cast<uint32_t*>(shared_);
    if (a_.splits > 1) {
      const int tile = (layer_ * a_.row_tiles + row_tile_) * a_.column_tiles + column_tile_;
      if (!arrives_last(gemm_splits_there + tile, a_.splits, word)) return;
      add_splits(row, column);
    }
    if constexpr (Kind == GemmKind::joined) {
      if (!a_.norm.y) return;
      if (!arrives_last(gemm_columns_there + row_tile_, a_.column_tiles, word)) return;
      normalize_rows<Tile.m, Tile.threads()>(a_, row);
    }
  }

  __device__ void add_splits(int block_row, int block_column) {
    constexpr int width = gated ? 2 * chunk : chunk, pieces = Tile.n / width;
#pragma unroll 1
    for (int i = threadIdx.x; i < Tile.m * pieces; i += Tile.threads()) {
      const int row = block_row + i / pieces, column = block_column + i % pieces * width;
      if (row >= a_.m || column >= a_.n) continue;
      Chunk v = {}, gate = {};
      add_partials(a_, layer_, row, column, v);
      if constexpr (gated) add_partials(a_, layer_, row, column + chunk, gate);
      finish_piece(row, column, v, gate);
    }
  }

  const GemmArgs& a_;
  unsigned char* shared_;
  uint32_t address_;
  int lane_, warp_row_, warp_column_, row_tile_, column_tile_, layer_;
  float sums_[tiles_m][tiles_n][4] = {};
};

template <GemmTile Tile, template <int, int> class GatherA, GemmKind Kind = GemmKind::plain>
__device__ void gemm(const GemmArgs& a) {
  extern __shared__ __align__(128) unsigned char gemm_shared[];
  GemmBlock<Tile, Kind>(a, gemm_shared).template run<GatherA>();
}

}  // namespace tintype::cuda
