// The matrix product of a block: tensor cores, copies some steps ahead. FLOP bound where tiles are filled.
#pragma once
#include "gemm_epilogue.cuh"
#include "gemm_gather.cuh"
#include "gemm_norm.cuh"
#include "tensor_core.cuh"

namespace tintype::cuda {

// Of each tile the splits that have stored their sums.
static __device__ uint32_t gemm_splits_there[gemm_counters];

// What happens to sums beside what GemmArgs says: values and gates are joined, or there may be several
// layers. Rows may be normalised in front of both.
enum class GemmKind { plain, gated, joined };

template <GemmTile Tile, GemmKind Kind>
class GemmBlock {
  static constexpr bool gated = Kind == GemmKind::gated;
  static constexpr int tiles_m = Tile.warp_m / 16, tiles_n = Tile.warp_n / 8;
  using GatherB = RowsGather<Tile.n, Tile.threads()>;
  // Behind what store_tile stages.
  static constexpr int norms_bytes = Tile.m * static_cast<int>(sizeof(RowNorm));
  static_assert(Tile.warps() * Tile.staging_floats() * 4 + norms_bytes <= Tile.shared_bytes());

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
    RowMoments<Tile> moments;
    if (has_norm()) moments.begin(a_, row, first_k);
    int reading = 0, writing = Tile.stages - 1;
    for (int step = 0; step < steps; step++) {
      wait_for_copies<Tile.stages - 2>();
      __syncthreads();  // the step has arrived for all, and all have read the stage that is written next
      if (step + Tile.stages - 1 < steps) copy_step(writing);
      commit_copies();
      multiply(address_ + reading * Tile.stage_bytes());
      if (has_norm()) {
        moments.add(shared_ + reading * Tile.stage_bytes(), end_k - first_k - step * gemm_depth);
      }
      reading = reading + 1 == Tile.stages ? 0 : reading + 1;
      writing = writing + 1 == Tile.stages ? 0 : writing + 1;
    }
    wait_for_copies<0>();
    __syncthreads();
    if (has_norm()) normalize_sums(column, moments.of(end_k - first_k));
    store_tile(row, column);
    finish_tile(row, column);
  }

 private:
  __device__ bool has_norm() const {
    return Kind != GemmKind::plain && a_.layers[0].norm.sums != nullptr;
  }

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

  __device__ void multiply(uint32_t stage) {
    const uint32_t stage_b = stage + Tile.m * gemm_depth * 2;
#pragma unroll
    for (int k = 0; k < gemm_depth / 16; k++) {
      uint32_t a[tiles_m][4], b[tiles_n / 2][4];
#pragma unroll
      for (int m = 0; m < tiles_m; m++) {
        load_matrices(a[m], stage + swizzle(warp_row_ + m * 16 + lane_ % 16, k * 2 + lane_ / 16));
      }
#pragma unroll
      for (int n = 0; n < tiles_n / 2; n++) {
        const int row = warp_column_ + n * 16 + lane_ % 8 + lane_ / 16 * 8;
        load_matrices(b[n], stage_b + swizzle(row, k * 2 + lane_ / 8 % 2));
      }
#pragma unroll
      for (int m = 0; m < tiles_m; m++) {
#pragma unroll
        for (int n = 0; n < tiles_n; n++) {
          multiply_add(sums_[m][n], a[m], b[n / 2][n % 2 * 2], b[n / 2][n % 2 * 2 + 1]);
        }
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

  __device__ RowNorm* row_norms() const {
    return reinterpret_cast<RowNorm*>(shared_ + Tile.shared_bytes() - norms_bytes);
  }
  __device__ int tile() const {
    return (layer_ * a_.row_tiles + row_tile_) * a_.column_tiles + column_tile_;
  }
  __device__ Moments* moments_of(int split) const {
    return reinterpret_cast<Moments*>(a_.moments) +
           (static_cast<int64_t>(tile()) * a_.splits + split) * Tile.m;
  }

  // Makes of the products with rows as they are those with normalised rows. Where the product is divided, the
  // last block does, by the moments of all.
  __device__ void normalize_sums(int block_column, const Moments& moments) {
    const FoldedNorm norm = layer().norm;
    if (RowMoments<Tile>::is_first_of_row()) {
      const int row = RowMoments<Tile>::row();
      if (a_.splits > 1) {
        moments_of(blockIdx.z)[row] = moments;
      } else {
        row_norms()[row] = row_norm(moments, a_.k, a_.eps, *norm.inverse_factor);
      }
    }
    if (a_.splits > 1) return;
    __syncthreads();
#pragma unroll
    for (int n = 0; n < tiles_n; n++) {
      const int column = block_column + warp_column_ + n * 8 + lane_ % 4 * 2;
      const bool inside = column < a_.n;
      const float2 zero = make_float2(0, 0);
      const float2 sum = inside ? *reinterpret_cast<const float2*>(norm.sums + column) : zero;
      const float2 shift = inside ? *reinterpret_cast<const float2*>(norm.shifts + column) : zero;
#pragma unroll
      for (int m = 0; m < tiles_m; m++) {
        float(&s)[4] = sums_[m][n];
#pragma unroll
        for (int half = 0; half < 2; half++) {
          const RowNorm row = row_norms()[warp_row_ + m * 16 + half * 8 + lane_ / 4];
          s[half * 2] = (s[half * 2] - row.mean * sum.x) * row.factor + shift.x;
          s[half * 2 + 1] = (s[half * 2 + 1] - row.mean * sum.y) * row.factor + shift.y;
        }
      }
    }
  }

  // By the last block of a divided product.
  __device__ void join_moments() {
    const int row = threadIdx.x;
    if (row < Tile.m) {
      Moments all = load_moments(0, row);
      for (int split = 1; split < a_.splits; split++) {
        const int before = split * a_.split_depth, count = min(a_.split_depth, a_.k - before);
        all = join(all, before, load_moments(split, row), count);
      }
      row_norms()[row] = row_norm(all, a_.k, a_.eps, *layer().norm.inverse_factor);
    }
    __syncthreads();
  }
  __device__ Moments load_moments(int split, int row) const {
    const float2 raw = __ldcg(reinterpret_cast<const float2*>(moments_of(split) + row));
    return {raw.x, raw.y};
  }

  // Eight sums of one row of the tile.
  __device__ void normalize(int row, int column, Chunk& v) const {
    const RowNorm own = row_norms()[row];
    Chunk sums, shifts;
    load(layer().norm.sums + column, sums);
    load(layer().norm.shifts + column, shifts);
#pragma unroll
    for (int i = 0; i < chunk; i++) v[i] = (v[i] - own.mean * sums[i]) * own.factor + shifts[i];
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

  // What is left to do where several blocks make a tile.
  __device__ void finish_tile(int row, int column) {
    if (a_.splits == 1) return;
    uint32_t* word = reinterpret_cast<uint32_t*>(shared_);
    if (!arrives_last(gemm_splits_there + tile(), a_.splits, word)) return;
    if (has_norm()) join_moments();
    add_splits(row, column);
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
      if (has_norm()) {
        normalize(i / pieces, column, v);
        if constexpr (gated) normalize(i / pieces, column + chunk, gate);
      }
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
