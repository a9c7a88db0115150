// The matrix product of a block: tensor cores, copies some steps ahead. FLOP bound where tiles are filled.
#pragma once
#include "gemm_epilogue.cuh"
#include "gemm_gather.cuh"
#include "gemm_norm.cuh"
#include "tensor_core.cuh"
#include "warpgroup.cuh"

namespace tintype::cuda {

// Of each tile the splits that have stored their sums, and of each tile of rows the columns that are
// finished.
static __device__ uint32_t gemm_splits_there[gemm_counters], gemm_columns_there[gemm_counters];

// What happens to sums beside what GemmArgs says: values and gates are joined, or there may be several layers
// and a norm behind them.
enum class GemmKind { plain, gated, joined };

constexpr GemmTile tile_built(GemmTile tile) {
  return has_warpgroups ? of_warpgroup(tile) : tile;
}

template <GemmTile Tile, GemmKind Kind>
class GemmBlock {
  static constexpr bool gated = Kind == GemmKind::gated;
  static constexpr int tiles_m = Tile.warp_m / 16, tiles_n = Tile.warp_n / 8;
  // Steps for which the warps meet once, turns that shared memory has place for, and those that are copied
  // ahead.
  static constexpr int turn = has_warpgroups ? warpgroup_turn : 1, ring = Tile.stages / turn,
                       ahead = ring - 1;
  using GatherB = RowsGather<Tile.n, Tile.threads()>;

 public:
  __device__ GemmBlock(const GemmArgs& a, unsigned char* shared)
      : a_(a),
        shared_(shared),
        address_(shared_address(shared)),
        lane_(threadIdx.x % 32),
        warp_row_(has_warpgroups ? threadIdx.x / 32 * 16
                                 : threadIdx.x / 32 / (Tile.n / Tile.warp_n) * Tile.warp_m),
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
    const auto copy_turn = [&](int place) {
#pragma unroll
      for (int step = 0; step < turn; step++) {
        const uint32_t target = address_ + (place * turn + step) * Tile.stage_bytes() + own;
        gather_a.copy_step(target);
        gather_b.copy_step(target + Tile.m * gemm_depth * 2);
      }
    };
    const int turns = (end_k - first_k + turn * gemm_depth - 1) / (turn * gemm_depth);
#pragma unroll
    for (int t = 0; t < ahead; t++) {
      if (t < turns) copy_turn(t);
      commit_copies();
    }
    int reading = 0, writing = ahead;
    for (int t = 0; t < turns; t++) {
      wait_for_copies<ahead - 1>();
      if constexpr (has_warpgroups) publish_to_tensor_cores();
      __syncthreads();  // the turn has arrived for all, and all have read the place that is written next
      const uint32_t read = address_ + reading * turn * Tile.stage_bytes();
      if constexpr (has_warpgroups) begin_multiplying(read);
      if (t + ahead < turns) copy_turn(writing);
      commit_copies();
      if constexpr (has_warpgroups) {
        wait_for_products();
      } else {
        multiply(read);
      }
      reading = reading + 1 == ring ? 0 : reading + 1;
      writing = writing + 1 == ring ? 0 : writing + 1;
    }
    wait_for_copies<0>();
    __syncthreads();
    store_tile(row, column);
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

  // A turn, of all warps together and while they go on.
  __device__ void begin_multiplying(uint32_t place) {
    begin_products();
#pragma unroll
    for (int step = 0; step < turn; step++) {
#pragma unroll
      for (int k = 0; k < gemm_depth / 16; k++) {
        const uint32_t a = place + step * Tile.stage_bytes() + k * 32, b = a + Tile.m * gemm_depth * 2;
#pragma unroll
        for (int m = 0; m < tiles_m; m++) {
          warpgroup_multiply_add(sums_[m], matrix_descriptor(a + m * 64 * gemm_depth * 2),
                                 matrix_descriptor(b));
        }
      }
    }
    commit_products();
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

  // Rows of a warp that lie in shared memory at a time, and how lanes share them: some side by side on a row,
  // so that each has as many pieces of it as the others.
  static constexpr int staged_m = Tile.staged_rows() / 16, stride = Tile.warp_n + 8;
  static constexpr int width = gated ? 2 * chunk : chunk, pieces = Tile.warp_n / width;
  static constexpr int across = pieces % 4 == 0 ? 4 : pieces % 2 == 0 ? 2 : 1, down = 32 / across;
  static constexpr int passes = (Tile.staged_rows() + down - 1) / down;

  __device__ float* staging() const {
    return reinterpret_cast<float*>(shared_) + threadIdx.x / 32 * Tile.staging_floats();
  }

  // The row of y in which this lane has pieces, and where it is staged.
  struct Row {
    int y;
    bool inside;
    float* sums;
  };
  __device__ Row row_of(int block_row, int m, int pass) const {
    const int r = pass * down + lane_ / across;
    const int y = block_row + warp_row_ + (m + r / 16) * Tile.rows_apart + r % 16;
    return {y, y < a_.m && r < Tile.staged_rows(), staging() + r * stride};
  }

  // Through shared memory, so that a lane gets eight sums of one row, and their gates.
  __device__ void store_tile(int block_row, int block_column) {
    const GemmLayer own = layer();
#pragma unroll
    for (int m = 0; m < tiles_m; m += staged_m) {
      stage(m);
      __syncwarp();
      if (a_.splits > 1) {
        store_partials(block_row, block_column, m);
      } else {
        finish_staged(own, block_row, block_column, m);
      }
      __syncwarp();
    }
    uint32_t* word = reinterpret_cast<uint32_t*>(shared_);
    if (a_.splits > 1) {
      const int tile = (layer_ * a_.row_tiles + row_tile_) * a_.column_tiles + column_tile_;
      if (!arrives_last(gemm_splits_there + tile, a_.splits, word)) return;
#pragma unroll 1
      for (int m = 0; m < tiles_m; m += staged_m) {
        add_partials(block_row, block_column, m);
        __syncwarp();
        finish_staged(own, block_row, block_column, m);
        __syncwarp();
      }
    }
    if constexpr (Kind == GemmKind::joined) {
      if (!a_.norm.y) return;
      if (!arrives_last(gemm_columns_there + row_tile_, a_.column_tiles, word)) return;
      normalize_rows<Tile.m, Tile.threads()>(a_, block_row);
    }
  }

  __device__ void stage(int first_m) {
#pragma unroll
    for (int m = 0; m < staged_m; m++) {
#pragma unroll
      for (int n = 0; n < tiles_n; n++) {
        const float(&s)[4] = sums_[first_m + m][n];
        float* place =
            staging() + (m * 16 + lane_ / 4) * stride + staged(n * 2 + lane_ % 4 / 2) * 4 + lane_ % 2 * 2;
        *reinterpret_cast<float2*>(place) = make_float2(s[0], s[1]);
        *reinterpret_cast<float2*>(place + 8 * stride) = make_float2(s[2], s[3]);
      }
    }
  }

  // Eight sums at a time; the next residuals are under way meanwhile.
  __device__ void finish_staged(const GemmLayer& own, int block_row, int block_column, int m) {
    if (!gated && a_.n % chunk != 0) return finish_one_by_one(own, block_row, block_column, m);
    const int left = block_column + warp_column_;
    uint4 residual[passes], next[passes];
    const auto ask = [&](int c) {
#pragma unroll
      for (int pass = 0; pass < passes; pass++) {
        const Row row = row_of(block_row, m, pass);
        next[pass] = !gated && row.inside && c < Tile.warp_n && left + c < a_.n
                         ? ask_for_residual(a_, row.y, left + c)
                         : make_uint4(0, 0, 0, 0);
      }
    };
    ask(lane_ % across * width);
#pragma unroll 1
    for (int c = lane_ % across * width; c < Tile.warp_n; c += across * width) {
      const int column = left + c;
      if (column >= a_.n) break;
#pragma unroll
      for (int pass = 0; pass < passes; pass++) residual[pass] = next[pass];
      ask(c + across * width);
      Chunk bias = {}, gate_bias = {};
      if (own.bias) {
        load(own.bias + (gated ? column / 2 : column), bias);
        if constexpr (gated) load(own.bias + (a_.n + column) / 2, gate_bias);
      }
#pragma unroll
      for (int pass = 0; pass < passes; pass++) {
        const Row row = row_of(block_row, m, pass);
        if (!row.inside) continue;
        Chunk v, gate;
        load_staged(row.sums, c, v);
        if constexpr (gated) {
          load_staged(row.sums, c + chunk, gate);
          finish_gated(a_, row.y, column, v, gate, bias, gate_bias);
        } else {
          finish(a_, own, row.y, column, v, bias, residual[pass]);
        }
      }
    }
  }

  __device__ void finish_one_by_one(const GemmLayer& own, int block_row, int block_column, int m) {
#pragma unroll 1
    for (int i = lane_; i < Tile.staged_rows() * Tile.warp_n; i += 32) {
      const int r = i / Tile.warp_n, c = i % Tile.warp_n, column = block_column + warp_column_ + c;
      const int row = block_row + warp_row_ + (m + r / 16) * Tile.rows_apart + r % 16;
      if (row < a_.m && column < a_.n) {
        finish_one(a_, own, row, column, staging()[r * stride + staged(c / 4) * 4 + c % 4]);
      }
    }
  }

  __device__ float* partials_of(int split) const {
    return a_.partials + (static_cast<int64_t>(layer_) * a_.splits + split) * a_.m * a_.n;
  }

  __device__ void store_partials(int block_row, int block_column, int m) {
    float* partials = partials_of(blockIdx.z);
#pragma unroll 1
    for (int c = lane_ % across * 4; c < Tile.warp_n; c += across * 4) {
      const int column = block_column + warp_column_ + c;
      if (column >= a_.n) break;
#pragma unroll
      for (int pass = 0; pass < passes; pass++) {
        const Row row = row_of(block_row, m, pass);
        if (!row.inside) continue;
        store_four(partials + static_cast<int64_t>(row.y) * a_.n + column, a_.n - column, a_.n % 4 == 0,
                   *reinterpret_cast<const float4*>(row.sums + staged(c / 4) * 4));
      }
    }
  }

  // The sums of all splits, in their order, to where they are staged: many are asked for at once.
  __device__ void add_partials(int block_row, int block_column, int m) {
    constexpr int step = across * 4, together = 16 / passes;
#pragma unroll 1
    for (int first = lane_ % across * 4; first < Tile.warp_n; first += step * together) {
      float4 sums[together][passes] = {};
      const auto each = [&](const auto& visit) {
#pragma unroll
        for (int i = 0; i < together; i++) {
          const int c = first + i * step, column = block_column + warp_column_ + c;
          if (c >= Tile.warp_n || column >= a_.n) continue;
#pragma unroll
          for (int pass = 0; pass < passes; pass++) {
            const Row row = row_of(block_row, m, pass);
            if (row.inside) visit(sums[i][pass], row, c, column);
          }
        }
      };
#pragma unroll 1
      for (int split = 0; split < a_.splits; split++) {
        const float* partials = partials_of(split);
        each([&](float4& sum, const Row& row, int, int column) {
          const float4 part = load_stored_four(partials + static_cast<int64_t>(row.y) * a_.n + column,
                                               a_.n - column, a_.n % 4 == 0);
          sum.x += part.x;
          sum.y += part.y;
          sum.z += part.z;
          sum.w += part.w;
        });
      }
      each([&](const float4& sum, const Row& row, int c, int) {
        *reinterpret_cast<float4*>(row.sums + staged(c / 4) * 4) = sum;
      });
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
  extern __shared__ __align__(1024) unsigned char gemm_shared[];
  GemmBlock<tile_built(Tile), Kind>(a, gemm_shared).template run<GatherA>();
}

}  // namespace tintype::cuda
