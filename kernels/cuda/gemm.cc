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

// What a split is a multiple of: boxes end where those of the next split begin.
int split_unit(const GemmSize& size) {
  return size.copying == Copying::engine ? box_columns : gemm_depth;
}

// Splits are of whole steps, so that there may be fewer than were asked for.
int64_t depth_of_split(const GemmSize& size, int splits) {
  const int unit = split_unit(size);
  return std::max<int64_t>(1, ceil_div(ceil_div(size.k, unit), splits)) * unit;
}

int whole_splits(const GemmSize& size, int splits) {
  return static_cast<int>(std::max<int64_t>(1, ceil_div(size.k, depth_of_split(size, splits))));
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
  const GemmTile tile = tile_on(*variant.tile, gpu.architecture, size.copying);
  const int splits = whole_splits(size, variant.splits);
  const double numbers = static_cast<double>(tile.m) * tile.n;
  const int64_t steps = ceil_div(depth_of_split(size, splits), tile.depth);
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

// Where the copy engine brings what is multiplied. All numbers are fitted to times of an H200, of six tiles
// and up to sixteen splits of 34 products of a UNet and of an autoencoder. What is chosen by them takes 0.3 %
// more than the fastest of all in the time of a step of the UNet at 512x512 and a twentieth of a decoding,
// and 3 % at most for any product, all measured; 0.9 % and 10 % where fits know nothing of what they choose
// for.
double boxed_cycles(const GemmVariant& variant, const GemmSize& size, const Gpu& gpu) {
  constexpr double copy_takes = 975, one_block_gets = 130, all_blocks_get = 74;  // bytes in a cycle
  constexpr double of_one_group = 1.3, of_two_groups = 1.1;                      // of what tensor cores need
  constexpr double ends = 6400, end_of_number = 0.1;
  constexpr double meeting = 2750, partials_per_cycle = 15;  // of splits; in bytes
  const GemmTile tile = of_copy_engine(*variant.tile);
  const int splits = whole_splits(size, variant.splits);
  const double numbers = static_cast<double>(tile.m) * tile.n;
  const auto steps = static_cast<double>(ceil_div(depth_of_split(size, splits), tile.depth));
  const double products = tensor_cycles(tile, gpu) * (tile.is_paired() ? of_two_groups : of_one_group);
  // A block waits for its copies, of which all but the one that is multiplied are under way.
  const double alone = copy_takes / (tile.stages - 1) + tile.stage_bytes() / one_block_gets;
  const double step = std::max(products, tile.stage_bytes() / all_blocks_get);
  const int64_t blocks = ceil_div(size.tiles(tile) * splits, gpu.processors);
  double cycles = 0;
  for (int64_t done = 0; done < blocks; done += tile.resident()) {
    const auto together = static_cast<double>(std::min<int64_t>(blocks - done, tile.resident()));
    cycles += steps * std::max(alone, together * step) + ends + together * numbers * end_of_number;
  }
  if (splits > 1) {
    const auto together = static_cast<double>(std::min<int64_t>(blocks, tile.resident()));
    cycles += meeting + numbers * sizeof(float) * (together + splits) / partials_per_cycle;
  }
  return cycles;
}

}  // namespace

double gemm_cycles(const GemmVariant& variant, const GemmSize& size, const Gpu& gpu) {
  if (size.copying == Copying::engine) return boxed_cycles(variant, size, gpu);
  if (has_warpgroups(gpu.architecture)) return warpgroup_cycles(variant, size, gpu);
  const GemmTile& tile = *variant.tile;
  const int splits = whole_splits(size, variant.splits);
  // The busiest processor does as many blocks as any.
  const double blocks = static_cast<double>(ceil_div(size.tiles(tile) * splits, gpu.processors));
  const int together = resident(tile, gpu);
  // Each scheduler has warps and tensor cores of its own.
  const double warps = std::min<double>(blocks, together) * tile.warps();
  const double busy = std::min(warps, schedulers) / schedulers;
  const double step = std::max(tensor_cycles(tile, gpu) / busy, shared_cycles(tile));
  const auto steps = static_cast<double>(ceil_div(depth_of_split(size, splits), tile.depth));
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
    if (!has_tile(*tile, gpu.architecture, gpu.is_fast, size.copying)) continue;
    const int64_t deepest = size.tiles(*tile) > gemm_counters ? 1 : size.k / (fewest_steps * gemm_depth);
    for (int splits = 1; splits <= std::clamp<int64_t>(deepest, 1, most_splits); splits++) {
      const double cycles = gemm_cycles({tile, splits}, size, gpu);
      if (cycles < least) {
        least = cycles;
        best = {tile, whole_splits(size, splits)};
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

namespace {

std::string kernel_name(const char* kernel, const GemmTile& tile) {
  const char* const kind = tile.slices > 1 ? "_sliced_" : tile.is_paired() ? "_paired_" : "_";
  return kernel + (kind + std::to_string(tile.m)) + "x" + std::to_string(tile.n);
}

GemmArgs divided(GemmArgs args, const GemmTile& tile, const GemmVariant& variant, Copying copying,
                 Launcher& launcher) {
  args.layer_count = std::max(args.layer_count, 1);
  args.row_tiles = static_cast<int32_t>(ceil_div(args.m, tile.m));
  args.column_tiles = static_cast<int32_t>(ceil_div(args.n, tile.n));
  args.splits = variant.splits;
  const GemmSize size = {args.m, args.n, args.k, args.layer_count, false, copying};
  args.split_depth = static_cast<int32_t>(depth_of_split(size, variant.splits));
  if (args.splits > 1) {
    args.partials = static_cast<float*>(launcher.workspace());
    args.moments = args.partials + partial_floats(variant, size);
  }
  return args;
}

Grid grid_of(const GemmArgs& args) {
  return {static_cast<uint32_t>(args.row_tiles * args.column_tiles * args.layer_count), 1,
          static_cast<uint32_t>(args.splits)};
}

}  // namespace

void run_gemm(const char* kernel, const GemmArgs& args, const GemmVariant& variant, Launcher& launcher) {
  const GemmTile tile = tile_on(*variant.tile, launcher.gpu().architecture, Copying::threads);
  const GemmArgs all = divided(args, tile, variant, Copying::threads, launcher);
  launcher.run(kernel_name(kernel, tile).c_str(), grid_of(all), static_cast<uint32_t>(tile.threads()), all,
               static_cast<size_t>(tile.shared_bytes()));
}

void run_boxed_gemm(const char* kernel, const GemmArgs& args, const GemmVariant& variant, Launcher& launcher,
                    BoxedTensor a, BoxedTensor second) {
  const GemmTile tile = of_copy_engine(*variant.tile);
  BoxedGemmArgs all = {};
  all.gemm = divided(args, tile, variant, Copying::engine, launcher);
  const auto map = [&](BoxedTensor tensor, int box_rows) {
    tensor.box_rows = box_rows;
    return launcher.map(tensor);
  };
  all.a = map(a, tile.m);
  if (second.data) all.second = map(second, tile.m);
  for (int i = 0; i < all.gemm.layer_count; i++) {
    all.b[i] = map(boxed_rows(args.layers[i].b, args.n, args.k), tile.n);
  }
  launcher.run(kernel_name(kernel, tile).c_str(), grid_of(all.gemm), static_cast<uint32_t>(tile.threads()),
               all, static_cast<size_t>(tile.shared_bytes()));
}

}  // namespace tintype::cuda
