#include "gemm.h"

#include <algorithm>
#include <limits>
#include <string>

namespace tintype::cuda {

namespace {

// Products that the tensor cores of a processor add up in a cycle, by mma.sync with float32 sums. GeForce
// cards of sm_86, 89 and 120 do half as many as others of their architecture: what is said here is true of
// them. With sums in fp16 they do as many.
double products_per_cycle(const Gpu& gpu) {
  switch (gpu.architecture) {
    case 75:
      return 512;
    case 80:
    case 87:
      return 1024;
    case 90:
      return 2048;
    default:
      return gpu.is_fast ? 512 : 256;
  }
}

// Cycles in which shared memory hands out 128 bytes, for one step along k: each warp loads its part of A and
// of B, and what the next step needs comes in.
double shared_cycles(const GemmTile& tile) {
  const int own_depth = tile.depth / tile.slices;
  const double loads = tile.warps() * (tile.warp_m * tile.slices + tile.warp_n) * own_depth * 2 / 128.;
  return loads + tile.stage_bytes() / 128.;
}

// Blocks of a tile that live on a processor together.
int resident(const GemmTile& tile, const Gpu& gpu) {
  const int fit = static_cast<int>(shared_of_processor(gpu.architecture) / (tile.shared_bytes() + 1024));
  return std::clamp(fit, 1, tile.resident());
}

// Splits are of whole steps, so that there may be fewer than were asked for.
int64_t steps_of_split(int64_t k, int splits) {
  return std::max<int64_t>(1, ceil_div(ceil_div(k, gemm_depth), splits));
}

int whole_splits(int64_t k, int splits) {
  return static_cast<int>(std::max<int64_t>(1, ceil_div(ceil_div(k, gemm_depth), steps_of_split(k, splits))));
}

// Parts of a processor that issue instructions.
constexpr double schedulers = 4;
// Before the first products arrive, and while the last are stored.
constexpr double cycles_at_ends = 1500;
// Where a scheduler has one warp, nobody computes while it waits.
constexpr double alone_takes = 1.15;
// What one block reads from the L2 cache, and all blocks of a processor write to it.
constexpr double bytes_per_cycle = 32;

constexpr int most_splits = 16;
// A split of less would mostly fill and drain its pipeline.
constexpr int fewest_steps = 8;

double tensor_cycles(const GemmTile& tile, const Gpu& gpu) {
  return static_cast<double>(tile.m) * tile.n * tile.depth / products_per_cycle(gpu);
}

// Where warpgroups multiply. All numbers are fitted to times of an H100, of four tiles and up to twelve
// splits of the shapes of a UNet and of an autoencoder; what is chosen by them takes 2.5 % more than the
// fastest of all.
double warpgroup_cycles(const GemmVariant& variant, const GemmSize& size, const Gpu& gpu) {
  constexpr double shortest_step = 560, copied_per_cycle = 38, ends = 550, end_of_number = 0.2,
                   partials_per_cycle = 11;  // in bytes
  const GemmTile tile = tile_on(*variant.tile, gpu.architecture);
  const int splits = whole_splits(size.k, variant.splits);
  const double numbers = static_cast<double>(tile.m) * tile.n;
  const int64_t steps = ceil_div(steps_of_split(size.k, splits) * gemm_depth, tile.depth);
  const double step = std::max(tensor_cycles(tile, gpu), tile.stage_bytes() / copied_per_cycle);
  const int64_t blocks = ceil_div(size.tiles(tile) * splits, gpu.processors);
  double cycles = 0;
  for (int64_t done = 0; done < blocks; done += tile.resident()) {
    const auto together = static_cast<double>(std::min<int64_t>(blocks - done, tile.resident()));
    cycles += static_cast<double>(steps) * std::max(shortest_step, together * step) + ends +
              together * numbers * end_of_number;
  }
  if (splits > 1) {
    const auto together = static_cast<double>(std::min<int64_t>(blocks, tile.resident()));
    cycles += numbers * sizeof(float) * (together + splits) / partials_per_cycle;
  }
  return cycles;
}

}  // namespace

double gemm_cycles(const GemmVariant& variant, const GemmSize& size, const Gpu& gpu) {
  if (has_warpgroups(gpu.architecture)) return warpgroup_cycles(variant, size, gpu);
  const GemmTile& tile = *variant.tile;
  const int splits = whole_splits(size.k, variant.splits);
  // The busiest processor does as many blocks as any.
  const double blocks = static_cast<double>(ceil_div(size.tiles(tile) * splits, gpu.processors));
  const int together = resident(tile, gpu);
  // Each scheduler has warps and tensor cores of its own.
  const double warps = std::min<double>(blocks, together) * tile.warps();
  const double busy = std::min(warps, schedulers) / schedulers;
  const double step = std::max(tensor_cycles(tile, gpu) / busy, shared_cycles(tile));
  const auto steps = static_cast<double>(ceil_div(steps_of_split(size.k, splits) * gemm_depth, tile.depth));
  double cycles = blocks * steps * step * (warps > schedulers ? 1 : alone_takes);
  cycles += blocks * 2 * tile.warps() * tile.joined_bytes() / 128.;  // written and read
  cycles += static_cast<double>(ceil_div(static_cast<int64_t>(blocks), together)) * cycles_at_ends;
  if (splits > 1) {
    const double bytes = static_cast<double>(tile.m) * tile.n * sizeof(float);
    cycles += (blocks + splits) * bytes / bytes_per_cycle + cycles_at_ends;
  }
  return cycles;
}

GemmVariant choose_gemm(const GemmSize& size, std::span<const GemmTile* const> tiles, const Gpu& gpu) {
  GemmVariant best = {};
  double least = std::numeric_limits<double>::infinity();
  for (const GemmTile* tile : tiles) {
    if (!has_tile(*tile, gpu.architecture, gpu.is_fast)) continue;
    const int64_t deepest = size.tiles(*tile) > gemm_counters ? 1 : size.k / (fewest_steps * gemm_depth);
    for (int splits = 1; splits <= std::clamp<int64_t>(deepest, 1, most_splits); splits++) {
      const double cycles = gemm_cycles({tile, splits}, size, gpu);
      if (cycles < least) {
        least = cycles;
        best = {tile, whole_splits(size.k, splits)};
      }
    }
  }
  return best;
}

namespace {

// Behind them lie the moments, of two floats each.
int64_t partial_floats(const GemmVariant& variant, const GemmSize& size) {
  return ceil_div(variant.splits * size.layers * size.m * size.n, 2) * 2;
}

}  // namespace

size_t gemm_workspace(const GemmVariant& variant, const GemmSize& size) {
  if (variant.splits == 1) return 0;
  const int64_t moments = size.has_norm ? size.tiles(*variant.tile) * variant.splits * variant.tile->m : 0;
  return static_cast<size_t>(partial_floats(variant, size) + 2 * moments) * sizeof(float);
}

void run_gemm(const char* kernel, GemmArgs args, const GemmVariant& variant, Launcher& launcher) {
  const GemmTile tile = tile_on(*variant.tile, launcher.gpu().architecture);
  args.layer_count = std::max(args.layer_count, 1);
  args.row_tiles = static_cast<int32_t>(ceil_div(args.m, tile.m));
  args.column_tiles = static_cast<int32_t>(ceil_div(args.n, tile.n));
  args.splits = variant.splits;
  args.split_depth = static_cast<int32_t>(steps_of_split(args.k, variant.splits) * gemm_depth);
  if (args.splits > 1) {
    args.partials = static_cast<float*>(launcher.workspace());
    args.moments = args.partials + partial_floats(variant, {args.m, args.n, args.k, args.layer_count});
  }
  const std::string name = std::string(kernel) + (tile.slices > 1 ? "_sliced_" : "_") +
                           std::to_string(tile.m) + "x" + std::to_string(tile.n);
  const Grid grid = {static_cast<uint32_t>(args.row_tiles * args.column_tiles * args.layer_count), 1,
                     static_cast<uint32_t>(args.splits)};
  launcher.run(name.c_str(), grid, static_cast<uint32_t>(tile.threads()), args,
               static_cast<size_t>(tile.shared_bytes()));
}

}  // namespace tintype::cuda
