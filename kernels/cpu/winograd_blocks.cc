// Winograd's convolution of large maps. Where winograd.cc lets all threads share the transformed patches, a
// task here keeps those of its own block of tiles in L2, for they are written and read once for each block of
// outputs, and all tasks share the transformed weights, which flow by from the last-level cache in the order
// in which they are used.
#include "gemm_epilogue.h"
#include "gemm_tile.h"
#include "normalize.h"
#include "parallel.h"
#include "winograd.h"
#include "winograd_tiles.h"

namespace tintype::TINTYPE_ISA {
namespace {

constexpr int64_t kAcross = kTileRows == 14 ? 7 : 4;  // tiles of a block: whole rows of register tiles
constexpr int64_t kDown = kTileRows == 14 ? 2 : 3;
constexpr int64_t kTiles = kAcross * kDown;
// Channels whose patches are in L2 at a time. All at once where that spares reading sums again and these are
// few: 6 % faster with tiles of 6x6, 3 % with 4x4 (AVX-512; with AVX2 no faster). Patches of enlarged
// pictures are small: up to 3 % faster.
constexpr int64_t kFewChannels = 64, kAllChannels = 128;
// And outputs whose sums are. With 64 channels all of it takes 420 KB, with AVX-512 740 KB: server cores of
// that width and Zen 4 have 1 MB or more of L2. (Ice Lake's client cores have 512 KB: not measured.) Tiles of
// 6x6 take twice as much; yet half as many outputs, for which patches would be transformed twice, are 7 %
// slower.
constexpr int64_t kOutputChannels = kWidth == 16 ? 256 : 128;
constexpr int64_t kPanels = kOutputChannels / kPanel;
// More than 128 only for at most 256 channels: the last-level cache has the transformed weights, 9 MB or 17
// MB.
constexpr int64_t kFewestPanels = 128 / kPanel;
constexpr int64_t kMostWeights = 256 * 256;
constexpr int64_t kPanelSums = kTiles * kPanel;
constexpr int64_t kSumPoint = kPanels * kPanelSums + 16;  // strides of powers of two share cache sets
constexpr int64_t kBlocksPerTask = 8;  // each asks for the pixels of the next while it multiplies

// The pixels outside of the picture.
alignas(64) const float zeros[kAllChannels] = {};

// A block of tiles F4 or F6, of so many channels at a time.
template <class Tile, int64_t Channels>
struct BlockOf : Tile {
  static constexpr int64_t kChannels = Channels;
  static constexpr int64_t kPatchRow = kChannels + 16;  // an odd number of cache lines, as in gemm_tile.h
  static constexpr int64_t kPatchPoint = kTiles * kPatchRow;
  static constexpr int64_t pixels_of(int64_t tiles) { return (tiles - 1) * Tile::kStep + Tile::kPatch; }
  static constexpr int64_t kPixelsAcross = pixels_of(kAcross), kPixelsDown = pixels_of(kDown);
};
template <class Use>
inline auto with_block(const Conv2dArgs& args, const Use& use) {
  return with_tile_size(args, [&](auto tile) {
    using Tile = decltype(tile);
    if constexpr (kWidth == 16) {
      if (max(args.c, args.o) <= kAllChannels) return use(BlockOf<Tile, kAllChannels>{});
    }
    constexpr int64_t kMany = kPixels<Tile> < 36 ? kAllChannels : kFewChannels;
    return use(BlockOf<Tile, kMany>{});
  });
}

// The part with index `i` of `count` in as many even parts.
Range part(int64_t count, int64_t parts, int64_t i) {
  return {i * count / parts, (i + 1) * count / parts};
}

// How the output is cut.
template <class F>
struct Cut {
  Axis<F> columns, rows;
  int64_t across, down;                // tiles of a picture
  int64_t blocks_across, blocks_down;  // and its blocks
  int64_t blocks;                      // of all pictures
  int64_t panels, slices;              // of the outputs
  int64_t chunks;                      // of the channels

  explicit Cut(const Conv2dArgs& a) : columns(columns_of<F>(a)), rows(rows_of<F>(a)) {
    across = columns.tiles();
    down = rows.tiles();
    blocks_across = ceil_div(across, kAcross);
    blocks_down = ceil_div(down, kDown);
    blocks = a.n * blocks_across * blocks_down;
    panels = panel_count(a.o);
    const int64_t fitting = kMostWeights / (a.c * kPanel);
    slices = ceil_div(panels, max(kFewestPanels, min(fitting, kPanels)));
    chunks = ceil_div(a.c, F::kChannels);
  }
};

// Transformed weights of a slice: (chunks, points, panels, channels, width), as they are used. Products with
// the same weights share them.
template <class F>
struct WeightPlaces {
  static constexpr int64_t kPoints = F::kWeights * F::kWeights;
  static constexpr int64_t index_of(int product) {
    return F::weight_of(product / F::kLineProducts) * F::kWeights + F::weight_of(product % F::kLineProducts);
  }
  int64_t c, panels;
  int64_t depth(int64_t chunk) const { return min(F::kChannels, c - chunk * F::kChannels); }
  int64_t offset(int64_t chunk, int64_t index, int64_t panel) const {
    return (chunk * F::kChannels * kPoints * panels + (index * panels + panel) * depth(chunk)) * kPanel;
  }
};

// What a thread keeps in L2.
template <class F>
struct Scratch {
  float* patches;     // (points, tiles, channels)
  float* sums;        // (products, panels, tiles, width)
  float* normalized;  // (rows, columns, channels)
  static constexpr int64_t patch_floats = kPixels<F> * F::kPatchPoint;
  static constexpr int64_t sum_floats = kProducts<F> * kSumPoint;
  static constexpr int64_t pixel_floats = F::kPixelsAcross * F::kPixelsDown * F::kChannels;
  static constexpr int64_t floats = patch_floats + sum_floats + pixel_floats;
  explicit Scratch(float* base)
      : patches(base), sums(base + patch_floats), normalized(base + patch_floats + sum_floats) {}
};

// The rows or columns of x under those of a block's patches: `place` counts from the first, -1 is outside.
template <class F, int64_t Count>
struct Places {
  Range source;
  int place[Count][F::kPatch];
  Places(const Axis<F>& axis, const Range& tiles) : source(axis.pixels(tiles)) {
    for (int64_t t = 0; t < tiles.size(); t++) {
      for (int64_t i = 0; i < F::kPatch; i++) {
        const int64_t pixel = axis.pixel(tiles.first + t, i);
        place[t][i] = pixel < 0 ? -1 : static_cast<int>(pixel - source.first);
      }
    }
  }
};

// Weights of all types are transformed to floats before anything else: one code multiplies them.
template <class F>
struct Convolution {
  const Conv2dArgs& args;
  const Epilogue& epilogue;
  const Cut<F> cut;
  const GemmShape shape;
  const Exec& exec;
  const ChannelMoments moments;  // a block is a stretch

  float* weights() const {
    return reinterpret_cast<float*>(exec.shared_scratch) + moments_floats(args, cut.blocks);
  }

  template <class T>
  void prepare_weights(const T* w, const Range& slice) const {
    const WeightPlaces<F> places{args.c, slice.size()};
    parallel_for(exec, slice.size() * cut.chunks, [&](int64_t task, int) {
      const int64_t panel = task / cut.chunks, chunk = task % cut.chunks;
      const int64_t width = panel_width(args.o, slice.first + panel);
      const T* from = w + panel_offset(9 * args.c, slice.first + panel) + chunk * F::kChannels * width;
      float* to = weights() + places.offset(chunk, 0, panel);
      const int64_t point_stride = places.offset(chunk, 1, panel) - places.offset(chunk, 0, panel);
      for (int64_t i = 0; i < places.depth(chunk) * width; i += kWidth) {
        transform_weights<F>(from + i, args.c * width, to + i, point_stride);
      }
    });
  }

  // A block of tiles: where it lies and what it reads.
  struct Block {
    int64_t index, picture;
    Range x, y;  // tiles
    Range outputs_across, outputs_down;
    Places<F, kAcross> columns;
    Places<F, kDown> rows;
    int64_t tiles() const { return x.size() * y.size(); }

    Block(const Cut<F>& cut, int64_t i)
        : index(i),
          picture(index / (cut.blocks_across * cut.blocks_down)),
          x(part(cut.across, cut.blocks_across, index % cut.blocks_across)),
          y(part(cut.down, cut.blocks_down, index / cut.blocks_across % cut.blocks_down)),
          outputs_across(cut.columns.outputs(x)),
          outputs_down(cut.rows.outputs(y)),
          columns(cut.columns, x),
          rows(cut.rows, y) {}
  };

  // Pixels of x from the block's first row and column and from some channel on.
  struct Source {
    const float* x;
    int64_t row, pixel;  // floats from one to the next
  };

  Source raw_pixels(const Block& block, int64_t channel) const {
    const int64_t row = block.picture * args.h + block.rows.source.first;
    const float* first = args.x + (row * args.w + block.columns.source.first) * args.c;
    return {first + channel, args.w * args.c, args.c};
  }
  Source normalize_pixels(const Block& block, int64_t first, int64_t channels, float* normalized) const {
    const Source from = raw_pixels(block, first);
    const Source to{normalized, block.columns.source.size() * F::kChannels, F::kChannels};
    const Factors factors = Factors{args.mean, args.factor, args.shift}.of_picture(block.picture, args.c);
    const Factors own{factors.mean + first, factors.factor + first, factors.shift + first};
    with_activation(args.input_activation, [&](auto kind) {
      for (int64_t y = 0; y < block.rows.source.size(); y++) {
        for (int64_t x = 0; x < block.columns.source.size(); x++) {
          normalize<decltype(kind)::value>(from.x + y * from.row + x * from.pixel, own, 1, channels,
                                           normalized + y * to.row + x * to.pixel);
        }
      }
    });
    return to;
  }

  // The tile in column x and row y of the block.
  void transform_tile(const Block& block, const Source& source, int64_t x, int64_t y, int64_t channels,
                      float* patch) const {
    const float* pixel[F::kPatch][F::kPatch];
    for (int i = 0; i < F::kPatch; i++) {
      const int row = block.rows.place[y][i];
      for (int j = 0; j < F::kPatch; j++) {
        const int column = block.columns.place[x][j];
        pixel[i][j] = row < 0 || column < 0 ? zeros : source.x + row * source.row + column * source.pixel;
      }
    }
    each_vector(0, channels, [&](int64_t c, auto lanes) {
      const auto read = [&](int i, int j) { return lanes.load(pixel[i][j] + c); };
      const auto write = [&](int i, int j, Vec v) {
        store(patch + (i * F::kPatch + j) * F::kPatchPoint + c, v);
      };
      transform_square<F::kPatch, F::kPatch>(read, F::transform_patch_line, write);
    });
  }

  void transform_patches(const Block& block, int64_t chunk, const Scratch<F>& scratch) const {
    const int64_t first = chunk * F::kChannels;
    const int64_t channels = min(F::kChannels, args.c - first);
    const Source source = args.mean == nullptr ? raw_pixels(block, first)
                                               : normalize_pixels(block, first, channels, scratch.normalized);
    float* patch = scratch.patches;
    for (int64_t y = 0; y < block.y.size(); y++) {
      for (int64_t x = 0; x < block.x.size(); x++, patch += F::kPatchRow) {
        transform_tile(block, source, x, y, channels, patch);
      }
    }
  }

  // Asks for what is read next, some pixels at each of so many turns.
  struct Ahead {
    Source source;
    int64_t columns, pixels, lines;
    int64_t some, pixel = 0;
    Ahead() : Ahead({}, 0, 0, 0, 1) {}  // of nothing
    Ahead(const Source& from, int64_t across, int64_t down, int64_t floats, int64_t turns)
        : source(from),
          columns(across),
          pixels(across * down),
          lines(ceil_div(floats, kLine)),
          some(ceil_div(pixels, turns)) {}
    void ask() {
      for (const int64_t end = min(pixel + some, pixels); pixel < end; pixel++) {
        const float* at = source.x + pixel / columns * source.row + pixel % columns * source.pixel;
        for (int64_t line = 0; line < lines; line++) prefetch_to_l2(at + line * kLine);
      }
    }
  };
  static int64_t turns(const Range& slice) { return kProducts<F> * slice.size(); }

  // The pixels that are transformed next. Without, they come from memory one by one: 1.4 times the time for
  // 512x512, 128 to 128.
  Ahead pixels_ahead(const Block& block, int64_t chunk, const Range& slice) const {
    const int64_t channels = min(F::kChannels, args.c - chunk * F::kChannels);
    return {raw_pixels(block, chunk * F::kChannels), block.columns.source.size(), block.rows.source.size(),
            channels, turns(slice)};
  }
  // What is added to the block's results, if anything: 8 % of the same.
  Ahead residual_ahead(const Block& block, const Range& slice) const {
    if (epilogue.residual == nullptr) return {};
    const Range &x = block.outputs_across, &y = block.outputs_down;
    const float* first =
        epilogue.residual + ((block.picture * args.ho + y.first) * args.wo + x.first) * args.o;
    const int64_t column = slice.first * kPanel;
    return {{first + column, args.wo * args.o, args.o},
            x.size(),
            y.size(),
            min(slice.last * kPanel, args.o) - column,
            turns(slice)};
  }

  void multiply(const Block& block, const Range& slice, int64_t chunk, const Scratch<F>& scratch,
                Ahead pixels, Ahead residual) const {
    const int64_t count = block.tiles();
    const int64_t parts = ceil_div(count, kTileRows);
    const WeightPlaces<F> places{args.c, slice.size()};
    const int64_t depth = places.depth(chunk);
    for (int p = 0; p < kProducts<F>; p++) {
      const float* u = weights() + places.offset(chunk, places.index_of(p), 0);
      const float* a = scratch.patches + patch_index<F>(p) * F::kPatchPoint;
      float* sums = scratch.sums + p * kSumPoint;
      for (int64_t panel = slice.first; panel < slice.last;
           panel++, sums += kPanelSums, u += depth * kPanel) {
        const bool full = panel_width(args.o, panel) == kPanel;
        pixels.ask();
        residual.ask();
        for (int64_t i = 0; i < parts; i++) {
          const Range rows = part(count, parts, i);
          const int size = static_cast<int>(rows.size());
          const float* from = a + rows.first * F::kPatchRow;
          if (full) {
            multiply_rows<2, InRows<F::kPatchRow>>(size, from, u, depth, sums + rows.first * kPanel,
                                                   chunk == 0);
          } else {
            multiply_rows<1, InRows<F::kPatchRow>>(size, from, u, depth, sums + rows.first * kWidth,
                                                   chunk == 0);
          }
        }
      }
    }
  }

  // Of the tile in column x and row y.
  void finish_panel(int64_t panel, const float* sums, int64_t picture, int64_t x, int64_t y,
                    StretchSums measured) const {
    const int64_t width = panel_width(args.o, panel);
    float pixels[F::kOutputs * F::kOutputs * kPanel];
    for (int64_t j = 0; j < width; j += kWidth) {
      const auto read = [&](int r, int c) { return load(sums + (r * F::kLineProducts + c) * kSumPoint + j); };
      const auto write = [&](int r, int c, Vec v) { store(pixels + (r * F::kOutputs + c) * width + j, v); };
      transform_square<F::kLineProducts, F::kOutputs>(read, F::transform_sum_line, write);
    }
    const Range across = cut.columns.outputs({x, x + 1}), down = cut.rows.outputs({y, y + 1});
    const int64_t left = across.first - cut.columns.first_output(x), top = cut.rows.first_output(y);
    for (int64_t row = down.first; row < down.last; row++) {
      const int64_t m = (picture * args.ho + row) * args.wo + across.first;
      const float* first = pixels + ((row - top) * F::kOutputs + left) * width;
      finish(epilogue, shape, {first, static_cast<int>(across.size()), width, m, panel * kPanel, measured});
      measured.begins = false;
    }
  }

  void finish_block(const Block& block, const Range& slice, const Scratch<F>& scratch) const {
    moments.set_pixels(block.index, block.outputs_across.size() * block.outputs_down.size());
    int64_t tile = 0;
    for (int64_t y = block.y.first; y < block.y.last; y++) {
      for (int64_t x = block.x.first; x < block.x.last; x++, tile++) {
        const float* sums = scratch.sums;
        for (int64_t panel = slice.first; panel < slice.last; panel++, sums += kPanelSums) {
          finish_panel(panel, sums + tile * panel_width(args.o, panel), block.picture, x, y,
                       moments.stretch(block.index, tile == 0));
        }
      }
    }
  }

  void run_block(const Block& block, const Block& next, const Range& slice, const Scratch<F>& scratch) const {
    for (int64_t chunk = 0; chunk < cut.chunks; chunk++) {
      transform_patches(block, chunk, scratch);
      const bool last = chunk + 1 == cut.chunks;
      const Ahead pixels = last ? pixels_ahead(next, 0, slice) : pixels_ahead(block, chunk + 1, slice);
      multiply(block, slice, chunk, scratch, pixels, last ? residual_ahead(block, slice) : Ahead{});
    }
    finish_block(block, slice, scratch);
  }

  void run() const {
    const int64_t tasks = ceil_div(cut.blocks, kBlocksPerTask);
    for (int64_t i = 0; i < cut.slices; i++) {
      const Range slice = part(cut.panels, cut.slices, i);
      with_elements(args.weight, [&](auto* w) { prepare_weights(w, slice); });
      parallel_for(exec, tasks, [&](int64_t task, int thread) {
        const Range blocks = part(cut.blocks, tasks, task);
        Block block(cut, blocks.first);
        for (int64_t index = blocks.first; index < blocks.last; index++) {
          const Block next(cut, min(index + 1, blocks.last - 1));
          run_block(block, next, slice, Scratch<F>(exec.scratch<float>(thread)));
          block = next;
        }
      });
    }
    if (args.channel_mean == nullptr) return;
    const int64_t count = cut.blocks / args.n;
    for (int64_t picture = 0; picture < args.n; picture++) {
      join_moments(args, exec, picture, picture * count, (picture + 1) * count);
    }
  }
};

template <class F>
ScratchSize scratch_of(const Conv2dArgs& args) {
  const Cut<F> cut(args);
  const int64_t weights = WeightPlaces<F>::kPoints * args.c * ceil_div(cut.panels, cut.slices) * kPanel;
  return {static_cast<size_t>(Scratch<F>::floats) * sizeof(float),
          static_cast<size_t>(moments_floats(args, cut.blocks) + weights) * sizeof(float)};
}

}  // namespace

// The transform of the weights must be little beside the work, and what all tasks read of it be kept by the
// last-level cache, which large maps make worth it: at 64x64 pixels, 320 channels, sharing patches is 10 %
// faster, at 256x256, 512 channels, this. With AVX-512 it also is at 128x128, 256 channels: by 8 %, for the
// patches serve all outputs.
bool winograd_takes_blocks(const Conv2dArgs& args) {
  constexpr int64_t kPixelsPerChannel = kWidth == 16 ? 64 : 128;
  return with_tile_size(args, [&](auto f) {
    using F = decltype(f);
    const int64_t tiles = columns_of<F>(args).tiles() * rows_of<F>(args).tiles();
    const int64_t pixels = args.n * tiles * F::kOutputs * F::kOutputs;
    return pixels >= kPixelsPerChannel * max(args.c, args.o);
  });
}

void winograd_blocks(const Conv2dArgs& args, const Epilogue& epilogue, const Exec& exec) {
  const GemmShape shape{args.n * args.ho * args.wo, args.o, 9 * args.c};
  with_block(args, [&](auto f) {
    using F = decltype(f);
    Convolution<F>{args, epilogue, Cut<F>(args), shape, exec, moments_of(args, exec)}.run();
  });
}

ScratchSize winograd_blocks_scratch(const Conv2dArgs& args) {
  return with_block(args, [&](auto f) { return scratch_of<decltype(f)>(args); });
}

}  // namespace tintype::TINTYPE_ISA
