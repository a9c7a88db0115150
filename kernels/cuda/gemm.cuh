// The matrix product of a block: tensor cores, copies some steps ahead. FLOP bound where tiles are filled.
#pragma once
#include "gemm_epilogue.cuh"
#include "gemm_gather.cuh"
#include "gemm_norm.cuh"
#include "tensor_core.cuh"
#include "warpgroup.cuh"

namespace tintype::cuda {

// Of each tile the splits that have stored their sums.
static __device__ uint32_t gemm_splits_there[gemm_counters];

// What happens to sums beside what GemmArgs says: values and gates are joined, or there may be several
// layers. Rows may be normalised in front of both. Of quartered ones the layers, if there are several, are
// the quarters of an enlarged picture (pack.h): their weights lie one below the other, and each makes pixels
// of the same y.
enum class GemmKind { plain, gated, joined, quartered };

// The oldest architecture that this code is for.
#if __CUDA_ARCH__ >= 1200
inline constexpr int architecture_built = 120;
#elif __CUDA_ARCH__ >= 800
inline constexpr int architecture_built = by_warpgroups ? 90 : 80;
#else
inline constexpr int architecture_built = 75;
#endif

constexpr GemmTile tile_built(const GemmTile& tile) {
  return tile_on(tile, architecture_built, Copying::threads);
}

template <GemmTile Tile, GemmKind Kind>
class GemmBlock {
  static constexpr bool gated = Kind == GemmKind::gated;
  static constexpr bool quartered = Kind == GemmKind::quartered;
  static constexpr int tiles_m = Tile.warp_m / 16, tiles_n = Tile.warp_n / 8;
  // Of the sums before slices are joined.
  static constexpr int all_tiles_m = tiles_m * Tile.slices, slice_depth = Tile.depth / Tile.slices;
  static constexpr int ahead = Tile.stages - 1;  // steps that are copied ahead
  using GatherB = RowsGather<Tile.n, Tile.threads(), Tile.depth>;
  // Behind what store_tile stages.
  static constexpr int norms_bytes = Tile.m * static_cast<int>(sizeof(RowNorm));
  static_assert(Tile.warps() * Tile.staging_floats() * 4 + norms_bytes <= Tile.tile_bytes());

 public:
  __device__ GemmBlock(const GemmArgs& a, unsigned char* shared)
      : a_(a),
        shared_(shared),
        address_(shared_address(shared)),
        lane_(threadIdx.x % 32),
        warp_row_(by_warpgroups ? threadIdx.x / 32 * 16
                                : threadIdx.x / 32 / (Tile.n / Tile.warp_n) * Tile.warp_m),
        warp_column_(threadIdx.x / 32 % (Tile.n / Tile.warp_n) * Tile.warp_n) {}

  template <template <int, int, int> class GatherA>
  __device__ void run() {
    const int first_k = blockIdx.z * a_.split_depth, end_k = min(a_.k, first_k + a_.split_depth);
    find_tile();
    const int row = row_tile_ * Tile.m, column = column_tile_ * Tile.n;
    GatherA<Tile.m, Tile.threads(), Tile.depth> gather_a(a_, {row, first_k, end_k, quarter()});
    // Columns of B behind the last are 0, those of the next split are not.
    GatherB gather_b(layer().b, column, a_.n, a_.b_stride, first_k, end_k);
    const uint32_t own = GatherShape<Tile.m, Tile.threads(), Tile.depth>::own_place();
    const auto copy_step = [&](int stage) {
      const uint32_t target = address_ + stage * Tile.stage_bytes() + own;
      gather_a.copy_step(target);
      gather_b.copy_step(target + Tile.m * Tile.depth * 2);
    };
    const int steps = (end_k - first_k + Tile.depth - 1) / Tile.depth;
#pragma unroll
    for (int s = 0; s < ahead; s++) {
      if (s < steps) copy_step(s);
      commit_copies();
    }
    RowMoments<Tile> moments;
    if (has_norm()) moments.begin(a_, row, first_k);
    int reading = 0, writing = ahead;
    for (int step = 0; step < steps; step++) {
      wait_for_copies<ahead - 1>();
      if constexpr (by_warpgroups) publish_to_tensor_cores();
      __syncthreads();  // the step has arrived for all, and all have read the stage that is written next
      const uint32_t stage = address_ + reading * Tile.stage_bytes();
      if constexpr (by_warpgroups) begin_multiplying(stage);
      if (step + ahead < steps) copy_step(writing);
      commit_copies();
      if constexpr (!by_warpgroups) multiply_by_warps(stage);
      if (has_norm()) {
        moments.add(shared_ + reading * Tile.stage_bytes(), end_k - first_k - step * Tile.depth);
      }
      if constexpr (by_warpgroups) wait_for_products<0>();
      reading = reading + 1 == Tile.stages ? 0 : reading + 1;
      writing = writing + 1 == Tile.stages ? 0 : writing + 1;
    }
    wait_for_copies<0>();
    __syncthreads();
    if constexpr (Tile.slices == 2) join_slices();
    // Found anew rather than kept: sums leave the loop hardly a register.
    if constexpr (!by_warpgroups) find_tile();
    if (has_norm()) normalize_sums(column_tile_ * Tile.n, moments.of(end_k - first_k));
    store_tile(row_tile_ * Tile.m, column_tile_ * Tile.n);
  }

 protected:
  static constexpr bool has_layers = Kind == GemmKind::joined || quartered;

  // Of the threads that multiply.
  static __device__ void meet() {
    if constexpr (Tile.copiers > 0) {
      asm volatile("bar.sync 1, %0;" ::"n"(Tile.multipliers()) : "memory");
    } else {
      __syncthreads();
    }
  }

  __device__ bool has_norm() const {
    return (Kind == GemmKind::gated || Kind == GemmKind::joined) && a_.layers[0].norm.sums != nullptr;
  }

  // Panels of some tiles of rows, all their columns one after the other.
  __device__ void find_tile() {
    uint32_t block;  // read anew each time, lest the compiler keeps what follows from it
    asm volatile("mov.u32 %0, %%ctaid.x;" : "=r"(block));
    const int columns = a_.column_tiles * a_.layer_count, of_panel = gemm_panel * columns;
    const int panel = block / of_panel, rest = block - panel * of_panel;
    const int rows = min(gemm_panel, a_.row_tiles - panel * gemm_panel);
    const int all_columns = rest / rows;
    row_tile_ = panel * gemm_panel + rest - all_columns * rows;
    layer_ = has_layers ? all_columns / a_.column_tiles : 0;
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
    if constexpr (quartered) {
      const auto* b = static_cast<const Element*>(found.b);
      found.b = b + static_cast<int64_t>(layer_) * a_.n * a_.b_stride;
    }
    return found;
  }

  __device__ Quarter quarter() const {
    return quartered ? Quarter{layer_ / 2, layer_ % 2} : Quarter{0, 0};
  }

  // The row of y that a row of A makes. Of a quarter pixel (i, j) is (2i + down, 2j + right) of a picture
  // that is 2w wide.
  __device__ int place(int row) const {
    if (!quartered || a_.layer_count == 1) return row;
    return (2 * (row / a_.w) + quarter().down) * (2 * a_.w) + 2 * (row % a_.w) + quarter().right;
  }

  // A step, of four warps together and while they go on.
  __device__ void begin_multiplying(uint32_t stage) {
    const uint32_t stage_a =
        stage + (Tile.is_paired() ? static_cast<int>(threadIdx.x) / 128 * 64 : 0) * Tile.depth * 2;
    const uint32_t stage_b = stage + Tile.m * Tile.depth * 2;
    begin_products();
#pragma unroll
    for (int k = 0; k < Tile.depth / 16; k++) {
#pragma unroll
      for (int m = 0; m < tiles_m; m++) {
        warpgroup_multiply_add(sums_[m], matrix_descriptor(stage_a + m * 64 * Tile.depth * 2 + k * 32),
                               matrix_descriptor(stage_b + k * 32));
      }
    }
    commit_products();
  }

  // The slice of the depth that a warp multiplies, and of the rows that are its own once slices are joined.
  __device__ int slice() const {
    return warp_row_ / Tile.warp_m % Tile.slices;
  }

  // 16 rows of A, and 16 columns of B, of the 16 products of the slice that begin at k * 16.
  __device__ void load_a(uint32_t (&a)[4], uint32_t stage, int m, int k) const {
    const int row = warp_row_ - slice() * Tile.warp_m + m * 16 + lane_ % 16;
    load_matrices(a, stage + swizzle<Tile.depth / 8>(row, chunk_of_slice(k) + lane_ / 16));
  }
  __device__ void load_b(uint32_t (&b)[4], uint32_t stage, int n, int k) const {
    const uint32_t stage_b = stage + Tile.m * Tile.depth * 2;
    const int row = warp_column_ + n * 16 + lane_ % 8 + lane_ / 16 * 8;
    load_matrices(b, stage_b + swizzle<Tile.depth / 8>(row, chunk_of_slice(k) + lane_ / 8 % 2));
  }
  __device__ int chunk_of_slice(int k) const {
    return slice() * (slice_depth / chunk) + k * 2;
  }

  __device__ void multiply(uint32_t stage) {
#pragma unroll
    for (int k = 0; k < slice_depth / 16; k++) {
      uint32_t a[all_tiles_m][4], b[tiles_n / 2][4];
#pragma unroll
      for (int m = 0; m < all_tiles_m; m++) load_a(a[m], stage, m, k);
#pragma unroll
      for (int n = 0; n < tiles_n / 2; n++) load_b(b[n], stage, n, k);
#pragma unroll
      for (int m = 0; m < all_tiles_m; m++) {
#pragma unroll
        for (int n = 0; n < tiles_n; n++) {
          multiply_add(sums_[m][n], a[m], b[n / 2][n % 2 * 2], b[n / 2][n % 2 * 2 + 1]);
        }
      }
    }
  }

  __device__ void multiply_by_warps(uint32_t stage) {
    if constexpr (is_fast) {
      multiply_fast(stage);
    } else {
      multiply(stage);
    }
  }

  // The products of a step are summed in fp16, from 0 on, and that is added to the float32 sums. All of A is
  // in registers and B comes 16 columns at a time, so that fp16 sums live no longer than two instructions.
  __device__ void multiply_fast(uint32_t stage) {
    constexpr int parts = Tile.depth / 16;
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

  // Of two warps that multiplied the same rows and columns each hands the other its sums of one half of the
  // rows.
  __device__ void join_slices() {
    float4* const places = reinterpret_cast<float4*>(shared_ + Tile.warps() * Tile.staging_floats() * 4);
    const int warp = static_cast<int>(threadIdx.x) / 32, other = warp ^ (Tile.n / Tile.warp_n);
    const bool is_second = slice() == 1;
    const auto place = [&](int of_warp, int m, int n) -> float4& {
      return places[((of_warp * tiles_m + m) * tiles_n + n) * 32 + lane_];
    };
#pragma unroll
    for (int m = 0; m < tiles_m; m++) {
#pragma unroll
      for (int n = 0; n < tiles_n; n++) {
        float(&first)[4] = sums_[m][n], (&second)[4] = sums_[tiles_m + m][n];
        float handed[4];
#pragma unroll
        for (int i = 0; i < 4; i++) {
          handed[i] = is_second ? first[i] : second[i];
          first[i] = is_second ? second[i] : first[i];
        }
        place(warp, m, n) = make_float4(handed[0], handed[1], handed[2], handed[3]);
      }
    }
    __syncthreads();
#pragma unroll
    for (int m = 0; m < tiles_m; m++) {
#pragma unroll
      for (int n = 0; n < tiles_n; n++) {
        const float4 handed = place(other, m, n);
        float(&s)[4] = sums_[m][n];
        s[0] += handed.x;
        s[1] += handed.y;
        s[2] += handed.z;
        s[3] += handed.w;
      }
    }
  }

  // Where unit `unit` of four floats lies in a staged row, so that eight lanes that read together, some units
  // or rows apart, meet in no bank. Rows are 8 banks apart, or 24.
  static __device__ constexpr int staged(int row, int unit) {
    constexpr int rows_together = gated ? 8 / across / 2 : 1;
    return unit ^ (unit / 8 % 4) ^ (row / rows_together % 2);
  }

  __device__ RowNorm* row_norms() const {
    return reinterpret_cast<RowNorm*>(shared_ + Tile.tile_bytes() - norms_bytes);
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
    meet();
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
          const RowNorm row = row_norms()[warp_row_ + m * Tile.rows_apart + half * 8 + lane_ / 4];
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
    meet();
  }
  __device__ Moments load_moments(int split, int row) const {
    const float2 raw = __ldcg(reinterpret_cast<const float2*>(moments_of(split) + row));
    return {raw.x, raw.y};
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
    int number;
    float* sums;
    __device__ float4& unit(int unit) const { return reinterpret_cast<float4*>(sums)[staged(number, unit)]; }
    __device__ void load(int column, Chunk& v) const {
      const float4 low = unit(column / 4), high = unit(column / 4 + 1);
      const float both[] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
      for (int i = 0; i < chunk; i++) v[i] = both[i];
    }
  };
  __device__ Row row_of(int block_row, int m, int pass) const {
    return row_at(block_row, m, pass * down + lane_ / across);
  }
  // The same for pieces of four sums: eight lanes that read together meet in no bank where their rows are two
  // apart, and not one.
  __device__ Row partial_row_of(int block_row, int m, int pass) const {
    const int own = lane_ / across, swapped = (own & ~3) | (own & 1) << 1 | (own & 2) >> 1;
    return row_at(block_row, m, pass * down + (across == 4 ? swapped : own));
  }
  __device__ Row row_at(int block_row, int m, int wanted) const {
    const int r = min(wanted, Tile.staged_rows() - 1);
    const int y = block_row + warp_row_ + (m + r / 16) * Tile.rows_apart + r % 16;
    return {y, y < a_.m && r == wanted, r, staging() + r * stride};
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
    if (a_.splits == 1) return;
    if (!arrives_last(gemm_splits_there + tile(), a_.splits, reinterpret_cast<uint32_t*>(shared_), meet))
      return;
    if (has_norm()) join_moments();
#pragma unroll 1
    for (int m = 0; m < tiles_m; m += staged_m) {
      add_partials(own, block_row, block_column, m);
      __syncwarp();
      finish_staged(own, block_row, block_column, m);
      __syncwarp();
    }
  }

  __device__ void stage(int first_m) {
#pragma unroll
    for (int m = 0; m < staged_m; m++) {
#pragma unroll
      for (int n = 0; n < tiles_n; n++) {
        const float(&s)[4] = sums_[first_m + m][n];
        float* place = staging() + (m * 16 + lane_ / 4) * stride +
                       staged(lane_ / 4, n * 2 + lane_ % 4 / 2) * 4 + lane_ % 2 * 2;
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
    int of_y[passes];
#pragma unroll
    for (int pass = 0; pass < passes; pass++) of_y[pass] = place(row_of(block_row, m, pass).y);
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
        row.load(c, v);
        if constexpr (gated) {
          row.load(c + chunk, gate);
          finish_gated(a_, row.y, column, v, gate, bias, gate_bias);
        } else {
          finish(a_, own, of_y[pass], column, v, bias, residual[pass]);
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
        finish_one(a_, own, place(row), column, staging()[r * stride + staged(r, c / 4) * 4 + c % 4]);
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
        const Row row = partial_row_of(block_row, m, pass);
        if (!row.inside) continue;
        store_four(partials + static_cast<int64_t>(row.y) * a_.n + column, a_.n - column, a_.n % 4 == 0,
                   row.unit(c / 4));
      }
    }
  }

  // The sums of all splits, in their order, to where they are staged. Many are asked for at once, so that no
  // branch may come between: what lies outside of y gets other sums of the tile, which nobody reads.
  __device__ void add_partials(const GemmLayer& own, int block_row, int block_column, int m) {
    constexpr int step = across * 4, columns = Tile.warp_n / step, together = divisor(columns, 8 / passes);
    const bool whole = a_.n % 4 == 0;
#pragma unroll 1
    for (int first = lane_ % across * 4; first < Tile.warp_n; first += step * together) {
      float4 sums[together][passes] = {};
#pragma unroll 1
      for (int split = 0; split < a_.splits; split++) {
        const float* partials = partials_of(split);
        float4 parts[together][passes];
#pragma unroll
        for (int i = 0; i < together; i++) {
          const int column = min(block_column + warp_column_ + first + i * step, whole ? a_.n - 4 : a_.n - 1);
#pragma unroll
          for (int pass = 0; pass < passes; pass++) {
            const int64_t row = min(partial_row_of(block_row, m, pass).y, a_.m - 1);
            parts[i][pass] = load_stored_four(partials + row * a_.n + column, a_.n - column, whole);
          }
        }
#pragma unroll
        for (int i = 0; i < together; i++) {
#pragma unroll
          for (int pass = 0; pass < passes; pass++) add(sums[i][pass], parts[i][pass]);
        }
      }
#pragma unroll
      for (int i = 0; i < together; i++) {
        const int c = first + i * step;
#pragma unroll
        for (int pass = 0; pass < passes; pass++) {
          const Row row = partial_row_of(block_row, m, pass);
          if (!row.inside) continue;
          if (has_norm())
            normalize(own.norm, row_norms()[row.y - block_row], block_column + warp_column_ + c,
                      sums[i][pass]);
          row.unit(c / 4) = sums[i][pass];
        }
      }
    }
  }

  // The largest divisor of `count` that is at most `most`.
  static constexpr int divisor(int count, int most) {
    return count % most == 0 ? most : divisor(count, most - 1);
  }

  // Four sums of a row; those behind the last are not read.
  __device__ void normalize(const FoldedNorm& norm, const RowNorm& row, int column, float4& v) const {
    if (column >= a_.n) return;
    const float4 sums = *reinterpret_cast<const float4*>(norm.sums + column);
    const float4 shifts = *reinterpret_cast<const float4*>(norm.shifts + column);
    v.x = (v.x - row.mean * sums.x) * row.factor + shifts.x;
    v.y = (v.y - row.mean * sums.y) * row.factor + shifts.y;
    v.z = (v.z - row.mean * sums.z) * row.factor + shifts.z;
    v.w = (v.w - row.mean * sums.w) * row.factor + shifts.w;
  }

  static __device__ void add(float4& sum, const float4& part) {
    sum.x += part.x;
    sum.y += part.y;
    sum.z += part.z;
    sum.w += part.w;
  }

  const GemmArgs& a_;
  unsigned char* shared_;
  uint32_t address_;
  int lane_, warp_row_, warp_column_, row_tile_, column_tile_, layer_;
  float sums_[all_tiles_m][tiles_n][4] = {};
};

template <GemmTile Tile, template <int, int, int> class GatherA, GemmKind Kind = GemmKind::plain>
__device__ void gemm(const GemmArgs& a) {
  if constexpr (has_tile(Tile, architecture_built, is_fast, Copying::threads)) {
    extern __shared__ __align__(1024) unsigned char gemm_shared[];
    GemmBlock<tile_built(Tile), Kind>(a, gemm_shared).template run<GatherA>();
  } else {
    __trap();  // choose_gemm knows of no such kernel
  }
}

}  // namespace tintype::cuda
