#include "gemm.h"

#include <algorithm>
#include <string>

#include "chunk.h"

namespace tintype::cuda {

namespace {

// Time of one wave in arbitrary units: products of a block, less well used by small tiles, which load more
// for each.
double wave_cost(const GemmTile& tile) {
  const double loads = static_cast<double>(tile.m + tile.n), products = static_cast<double>(tile.m) * tile.n;
  return (products + 24 * loads) * tile.resident();
}

double cost(const GemmTile& tile, int64_t m, int64_t n, const Gpu& gpu) {
  const int64_t blocks = ceil_div(m, tile.m) * ceil_div(n, tile.n);
  return static_cast<double>(ceil_div(blocks, int64_t{gpu.processors} * tile.resident())) * wave_cost(tile);
}

}  // namespace

GemmVariant choose_gemm(int64_t m, int64_t n, int64_t k, std::span<const GemmTile* const> tiles,
                        const Gpu& gpu) {
  const GemmTile* tile = *std::min_element(tiles.begin(), tiles.end(), [&](auto* a, auto* b) {
    return cost(*a, m, n, gpu) < cost(*b, m, n, gpu);
  });
  // A split of less than 8 steps would mostly fill and drain its pipeline.
  const int64_t blocks = ceil_div(m, tile->m) * ceil_div(n, tile->n);
  const int64_t idle = int64_t{gpu.processors} * tile->resident() / blocks;
  const int64_t deepest = k / (8 * gemm_depth);
  return {tile, static_cast<int>(std::clamp<int64_t>(std::min(idle, deepest), 1, 16))};
}

size_t gemm_workspace(const GemmVariant& variant, int64_t m, int64_t n) {
  return variant.splits == 1 ? 0 : static_cast<size_t>(variant.splits * m * n) * sizeof(float);
}

void run_gemm(const GemmNames& names, GemmArgs args, const GemmVariant& variant, Launcher& launcher) {
  const GemmTile& tile = *variant.tile;
  const int64_t steps = ceil_div(args.k, gemm_depth);
  args.split_depth = static_cast<int32_t>(ceil_div(steps, variant.splits) * gemm_depth);
  args.splits = static_cast<int32_t>(ceil_div(args.k, args.split_depth));
  args.partials = args.splits > 1 ? static_cast<float*>(launcher.workspace()) : nullptr;
  const std::string name =
      std::string(names.kernel) + "_" + std::to_string(tile.m) + "x" + std::to_string(tile.n);
  const Grid grid = {static_cast<uint32_t>(ceil_div(args.m, tile.m)),
                     static_cast<uint32_t>(ceil_div(args.n, tile.n)), static_cast<uint32_t>(args.splits)};
  launcher.run(name.c_str(), grid, static_cast<uint32_t>(tile.threads()), args,
               static_cast<size_t>(tile.shared_bytes()));
  if (args.splits > 1) launcher.run(names.reduce, row_chunks(args.m, args.n), chunk_threads, args);
}

}  // namespace tintype::cuda
