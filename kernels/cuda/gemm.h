// y (m, n) = f(A B^T + bias + row_bias) + residual, A gathered from a picture or read as it lies, its rows
// perhaps normalised: what the host part decides and the kernels get.
#pragma once
#include <span>

#include "../args.gen.h"
#include "launch.h"
#include "pack.h"

namespace tintype::cuda {

inline constexpr int gemm_depth = 32;  // products along k are divided into multiples of it

// What a block makes of y and how its warps share it. Shared memory holds `stages` steps of A and B; at the
// end each warp puts 16 rows of its part there, or all, with 8 floats between rows so that banks do not
// conflict.
struct GemmTile {
  int m, n, warp_m, warp_n, stages;
  int depth = gemm_depth;  // of a step along k
  int rows_apart = 16;     // from 16 rows of a warp to its next
  // Parts of each step's depth, of 1 or 2: so many warps multiply the same rows and columns, and share the
  // rows when their sums are joined.
  int slices = 1;
  int copiers = 0;  // warps beside those that multiply, of which one copies for all
  constexpr int warps() const { return m / warp_m * (n / warp_n); }
  // Of two groups of four warps that multiply together.
  constexpr bool is_paired() const { return warps() > 4; }
  constexpr int multipliers() const { return warps() * 32; }
  constexpr int threads() const { return multipliers() + copiers * 32; }
  // Blocks that registers allow on a processor at the same time: a promise of the kernels that choose_gemm
  // counts on. Without it ptxas makes room for more of the small ones, and spills for that.
  constexpr int resident() const { return m * n > 64 * 64 ? 8 / warps() : rows_apart == 16 ? 4 : 3; }
  constexpr int stage_bytes() const { return (m + n) * depth * 2; }
  constexpr int staged_rows() const { return rows_apart == 16 ? 16 : warp_m; }
  constexpr int staging_floats() const { return staged_rows() * (warp_n + 8); }
  // The sums that a warp hands to the other of its rows and columns.
  constexpr int joined_bytes() const { return (slices - 1) * warp_m * warp_n * 4; }
  // Of steps, later of sums.
  constexpr int tile_bytes() const {
    const int main = stages * stage_bytes(), end = warps() * (staging_floats() * 4 + joined_bytes());
    return main > end ? main : end;
  }
  // Behind them, where others copy, are two barriers for each step (gemm_boxed.cuh).
  constexpr int shared_bytes() const { return tile_bytes() + (copiers > 0 ? stages * 16 : 0); }
};

inline constexpr GemmTile gemm_128x160 = {128, 160, 64, 80,
                                          3};  // widths of the UNet are multiples of 160 or 320
inline constexpr GemmTile gemm_128x128 = {128, 128, 64, 64, 3};
inline constexpr GemmTile gemm_64x128 = {64, 128, 64, 64, 3};  // of two warps, for maps with few tiles
inline constexpr GemmTile gemm_64x64 = {64, 64, 32, 32, 4};
// Sums of 64x64 in each of four warps, as in the largest tiles, of half of the depth: for few tiles where
// tensor cores are faster than shared memory feeds smaller sums.
inline constexpr GemmTile gemm_64x128_sliced = {64, 128, 32, 64, 3, 2 * gemm_depth, 16, 2};

// Where the copy engine of sm_90 brings boxes of A and B: 160 columns of few rows; and two times four warps
// that share 128 rows, which is faster while a processor has no more than one block.
inline constexpr GemmTile gemm_64x160 = {64, 160, 64, 80, 3};
inline constexpr GemmTile gemm_paired_128x160 = {128, 160, 16, 160, 3};

// Tensor cores of sm_90 multiply what lies in shared memory for four warps together, 64 rows at a time of
// which each has 16. Steps are twice as deep, so that copies are of whole lines of the cache and warps meet
// less often; as many are there or under way as let two blocks, or three of few numbers, share a processor.
constexpr GemmTile of_warpgroup(GemmTile tile) {
  GemmTile of_four = {tile.m, tile.n, tile.m / 4, tile.n, 1, 2 * gemm_depth, 64};
  const int fit = (112 << 10) / of_four.stage_bytes();
  of_four.stages = fit < 4 ? fit : 4;
  return of_four;
}
// The same with a warp that has the copy engine bring what comes later, so that nobody who multiplies copies.
// Where a thread has 128 sums and more, the warps that copy are four, as only such a group can hand registers
// to others.
constexpr GemmTile of_copy_engine(const GemmTile& tile) {
  const int groups = tile.is_paired() ? 2 : 1;
  GemmTile boxed = {tile.m, tile.n, tile.m / 4 / groups, tile.n, 1, 2 * gemm_depth, 64};
  boxed.copiers = tile.m * tile.n / (groups * 128) >= 128 ? 4 : 1;
  const int fit = (groups == 2 ? 224 << 10 : 112 << 10) / boxed.stage_bytes();
  const int most = groups == 2 ? 5 : 4;
  boxed.stages = fit < most ? fit : most;
  return boxed;
}

// What brings the steps of A and B to shared memory: the threads that multiply, or the copy engine.
enum class Copying { threads, engine };

// What a block does on an architecture.
constexpr GemmTile tile_on(const GemmTile& tile, int architecture, Copying copying) {
  if (copying == Copying::engine) return of_copy_engine(tile);
  return has_warpgroups(architecture) ? of_warpgroup(tile) : tile;
}

// Whether tensor cores take a smaller tile than shared memory feeds as fast: those of data centers.
constexpr bool has_fast_tensor_cores(int architecture) {
  return architecture == 80 || architecture == 87 || has_warpgroups(architecture);
}

// Whether there are kernels for a tile. None of 64x128 where the model of choose_gemm never takes them. Where
// a step is summed in fp16, registers do not hold the sums of 128x160 beside what cp.async wants, and no card
// that gains by such sums would choose it.
constexpr bool has_tile(const GemmTile& tile, int architecture, bool is_fast, Copying copying) {
  if (copying == Copying::engine) return has_warpgroups(architecture) && tile.slices == 1;
  if (tile.is_paired() || (tile.m == 64 && tile.n == 160)) return false;
  if (tile.slices > 1)
    return has_fast_tensor_cores(architecture) && !has_warpgroups(architecture) && !is_fast;
  if (tile.m == 64 && tile.n == 128) return has_fast_tensor_cores(architecture);
  return !is_fast || tile.n != 160 || architecture < 80 || has_warpgroups(architecture);
}

// Layers that one launch computes from the same A.
inline constexpr int gemm_layers = 6;

struct GemmLayer {
  const void* b;  // (n, b_stride), packed
  const float* bias;
  float* y;
  FoldedNorm norm;  // of the rows of A, all null where they are taken as they are
};

// Blocks count in memory which parts of divided products have arrived. More tiles than this are not divided.
inline constexpr int gemm_counters = 4096;

// Tiles of rows whose blocks run one after the other, so that they find A and B in the L2 cache.
inline constexpr int gemm_panel = 8;

struct GemmArgs {
  const float* a;
  const float* second;  // where rows of A go on behind first_k columns, in concat_linear
  GemmLayer layers[gemm_layers];
  const float* row_bias;
  const float* residual;
  float* partials;  // (layers, splits, m, n) of sums that the last block of a tile adds up, or null
  float* moments;  // (tiles, splits, rows of a tile, 2) of the depth of each split, where rows are normalised
  int32_t layer_count;
  int32_t m, n, k, b_stride;
  int32_t first_k;
  int32_t row_tiles, column_tiles;  // of one layer
  int32_t split_depth;              // products of one split, a multiple of gemm_depth
  int32_t splits;
  int32_t row_bias_period;  // rows of y that share a row of row_bias
  Activation activation;
  float eps;  // of the norm
  // The picture that A is gathered from: row m is an output pixel, k runs over taps (kh, kw), then channels.
  int32_t h, w, c, ho, wo, kh, kw, stride, pad_top, pad_left;
  int32_t enlarged;  // 1 where the picture is read as if every pixel was four
};

// The same where the copy engine brings A and B.
struct BoxedGemmArgs {
  TensorMap a, second;
  TensorMap b[gemm_layers];
  GemmArgs gemm;
};

struct GemmVariant {
  const GemmTile* tile;
  int splits;
};

// Of the products of all layers together: n is the columns of one of them.
struct GemmSize {
  int64_t m, n, k, layers = 1;
  bool has_norm = false;
  Copying copying = Copying::threads;
  int64_t tiles(const GemmTile& tile) const { return ceil_div(m, tile.m) * ceil_div(n, tile.n) * layers; }
};

// Cycles that a product takes by a model of what keeps a processor busy (gemm.cc).
double gemm_cycles(const GemmVariant& variant, const GemmSize& size, const Gpu& gpu);

// The tile, and how many blocks share the products of one, that take the fewest cycles.
GemmVariant choose_gemm(const GemmSize& size, std::span<const GemmTile* const> tiles, const Gpu& gpu);

size_t gemm_workspace(const GemmVariant& variant, const GemmSize& size);

// Fills in tiles, splits and partials; `kernel` is what the name of each variant begins with.
void run_gemm(const char* kernel, const GemmArgs& args, const GemmVariant& variant, Launcher& launcher);

// The same by the copy engine, which brings `a`, and `second` where that goes on behind it.
void run_boxed_gemm(const char* kernel, const GemmArgs& args, const GemmVariant& variant, Launcher& launcher,
                    BoxedTensor a, BoxedTensor second = {});

}  // namespace tintype::cuda
