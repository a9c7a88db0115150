// Winograd's minimal filtering (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016).
// By F(4x4, 3x3) a tile of 4x4 pixels takes 36 products for each channel in and out where the sum over the
// taps takes 144, by F(6x6, 3x3) one of 6x6 pixels takes 64 instead of 324, or 49 where the picture is
// enlarged twice. They are as many matrix products, one for each point of the transformed tile:
//   patches (tiles, c) x weights (c, o) = sums (tiles, o).
// A stretch of tiles at a time: their patches are transformed once for all outputs into memory that the
// threads share and that the last-level cache holds; then each task multiplies a group of these tiles with
// one panel of weights, which it transforms on the fly, for the transformed ones would take eight or fourteen
// times the memory of halves.
#include "winograd.h"

#include "gemm_epilogue.h"
#include "gemm_tile.h"
#include "normalize.h"
#include "parallel.h"
#include "winograd_tiles.h"

namespace tintype::TINTYPE_ISA {
namespace {

constexpr int64_t kChannels = 64;  // channels whose weights are transformed at a time
// And rows of points, which are multiplied at once. One of them takes 50 or 66 KB, all points 300 or 520 KB,
// of which each line must come from afar to be written: 3 to 8 % faster, though taps are read again for each
// row. With AVX2 and tiles of 4x4 that costs as much as it spares.
template <class F>
constexpr int kRowsAtOnce = kWidth == 16 || F::kLineProducts > 6 ? 1 : F::kLineProducts;
// Tiles that share transformed weights: whole rows of register tiles, whose sums take 0.8 or 1 MB of L2, with
// AVX2 0.3 or 0.5 MB.
template <class F>
constexpr int64_t kGroup = F::kLineProducts == 9                   ? 98
                           : kWidth == 16 && F::kLineProducts == 6 ? 182
                                                                   : 126;
constexpr int64_t kStretchFloats = 2 << 20;  // transformed patches that are kept at a time
constexpr int64_t kApart = 16;        // floats between points: strides of powers of two share cache sets
constexpr int64_t kTilesPerTask = 8;  // of the patches' transform

// How the output is cut into tiles, and these into stretches and groups.
template <class F>
struct Cut {
  int64_t across, down, tiles;  // tiles in a row and in a column of a picture, and in all pictures
  int64_t stretch, group;       // tiles that are in memory at a time, and tiles of a task
  int64_t chunks;
  int64_t point;  // floats from one point of the transformed patches to the next
  int64_t pictures;
  Axis<F> columns, rows;

  explicit Cut(const Conv2dArgs& a) : pictures(a.n), columns(columns_of<F>(a)), rows(rows_of<F>(a)) {
    across = columns.tiles();
    down = rows.tiles();
    tiles = a.n * across * down;
    chunks = ceil_div(a.c, kChannels);
    const int64_t room = kStretchFloats / (kPixels<F> * chunks * kChannels);
    const int64_t groups = ceil_div(tiles, kGroup<F>);
    group = ceil_div(tiles, groups);
    if (groups > 1) group = ceil_div(group, kTileRows) * kTileRows;
    stretch = min(tiles, (room < group ? 1 : room / group) * group);
    point = chunks * stretch * kChannels + kApart;
  }
  // Whose moments are taken apart: the tiles of a group that are of one picture. Some numbers mean none.
  int64_t parts() const { return ceil_div(tiles, group) + pictures - 1; }
  static int64_t part(int64_t of_group, int64_t picture) { return of_group + picture; }
  // Rows of x, counted through all pictures, that the tiles [first, last) read.
  Range rows_read(const Conv2dArgs& a, int64_t first, int64_t last) const {
    const int64_t begin = first / across, end = (last - 1) / across;
    return {begin / down * a.h + rows.pixels({begin % down, begin % down + 1}).first,
            end / down * a.h + rows.pixels({end % down, end % down + 1}).last};
  }
};

// Where a tile lies.
struct Place {
  int64_t picture, y, x;  // tiles
  template <class F>
  Place(const Cut<F>& cut, int64_t tile)
      : picture(tile / (cut.across * cut.down)), y(tile / cut.across % cut.down), x(tile % cut.across) {}
};

// Rows of x from `first_row` on, counted through all pictures.
struct Source {
  const float* x;
  int64_t first_row;
};

// Points at the pixels of a patch; those outside of the picture are null.
template <class F>
void point_patch(const Conv2dArgs& a, const Source& source, const Cut<F>& cut, const Place& place,
                 const float* (&pixel)[F::kPatch][F::kPatch]) {
  for (int i = 0; i < F::kPatch; i++) {
    const int64_t y = cut.rows.pixel(place.y, i);
    const int64_t row = place.picture * a.h + y - source.first_row;
    for (int j = 0; j < F::kPatch; j++) {
      const int64_t x = cut.columns.pixel(place.x, j);
      pixel[i][j] = y < 0 || x < 0 ? nullptr : source.x + (row * a.w + x) * a.c;
    }
  }
}

template <class F>
void transform_patch(const Conv2dArgs& a, const Source& source, const Cut<F>& cut, int64_t tile, int64_t slot,
                     float* patches) {
  const float* pixel[F::kPatch][F::kPatch];
  point_patch(a, source, cut, Place(cut, tile), pixel);
  for (int64_t c = 0; c < a.c; c += kWidth) {
    float* to = patches + (c / kChannels * cut.stretch + slot) * kChannels + c % kChannels;
    const int lanes = static_cast<int>(min(kWidth, a.c - c));
    const auto read = [&](int i, int j) {
      if (pixel[i][j] == nullptr) return broadcast(0);
      return lanes == kWidth ? load(pixel[i][j] + c) : load_partial(pixel[i][j] + c, lanes);
    };
    const auto write = [&](int i, int j, Vec v) { store(to + (i * F::kPatch + j) * cut.point, v); };
    transform_square<F::kPatch, F::kPatch>(read, F::transform_patch_line, write);
  }
}

// A task's panel of weights and its place in the scratch memory: (points of some rows, channels of a chunk,
// width).
template <class F, int Vectors>
struct Panel {
  static constexpr int64_t width = Vectors * kWidth;
  static constexpr int64_t point = kChannels * width + kApart;
  Weight w;  // from that element on (9, c, width)
  int64_t first_element;
  int64_t c;
  float* transformed;

  // Of the points whose weights are those of row `row` on.
  void transform(int row, int64_t first, int64_t depth) const {
    with_elements(w, [&](auto* elements) { transform(elements + first_element, row, first, depth); });
  }
  template <int Row = 0, class T>
  void transform(const T* elements, int row, int64_t first, int64_t depth) const {
    if (row != Row) {
      if constexpr (Row + kRowsAtOnce<F> < F::kWeights) {
        transform<Row + kRowsAtOnce<F>>(elements, row, first, depth);
      }
      return;
    }
    for (int64_t k = 0; k < depth; k++) {
      for (int j = 0; j < Vectors; j++) {
        const T* from = elements + (first + k) * width + j * kWidth;
        float* to = transformed + k * width + j * kWidth;
        transform_weights<F, Row, kRowsAtOnce<F>>(from, c * width, to, point);
      }
    }
  }
};

// The rows of the next tile, one after the other, which another core may have written: spread over the groups
// of a full depth, in whole lines.
struct NextRows {
  const float* at;
  TINTYPE_INLINE void ask() {
    constexpr int64_t kLines = ceil_div(kTileRows * kDepthGroup, kLine);
#pragma GCC unroll 4
    for (int64_t i = 0; i < kLines; i++) prefetch(at + i * kLine);
    at += kLines * kLine;
  }
};

template <class F, int Vectors>
struct Group {
  const Conv2dArgs& args;
  const Cut<F>& cut;
  const Epilogue& epilogue;
  const GemmShape& shape;
  const float* patches;  // of the stretch
  int64_t first, count;  // tiles of the group
  int64_t slot;          // of the first one in the stretch
  int64_t column;        // output channel
  Panel<F, Vectors> panel;
  float* sums;  // (points, tiles, width)
  const ChannelMoments& moments;

  static constexpr int64_t width = Panel<F, Vectors>::width;
  int64_t sums_point() const { return cut.group * width + kApart; }

  void multiply() const {
    for (int64_t c = 0; c < args.c; c += kChannels) {
      const int64_t depth = min(kChannels, args.c - c);
      for (int row = 0; row < F::kLineProducts; row += kRowsAtOnce<F>) {
        if (F::weight_of(row) == row) panel.transform(row, c, depth);  // or they are those of the row before
        for (int p = 0; p < kRowsAtOnce<F> * F::kLineProducts; p++) {
          const float* u = panel.transformed + F::weight_of(p) * panel.point;
          multiply_point(row * F::kLineProducts + p, u, c, depth);
        }
      }
    }
  }

  // The patches of the group, from channel c on.
  const float* patches_of(int product, int64_t c) const {
    return patches + patch_index<F>(product) * cut.point + (c / kChannels * cut.stretch + slot) * kChannels;
  }

  void multiply_point(int p, const float* u, int64_t c, int64_t depth) const {
    const int64_t tiles = ceil_div(count, kTileRows);
    const float* a = patches_of(p, c);
    const float* const after = patches_of(min(p + 1, kProducts<F> - 1), c);
    float* sum = sums + p * sums_point();
    for (int64_t t = 0, row = 0; t < tiles; t++) {
      const int64_t next = (t + 1) * count / tiles;
      const NextRows ahead{t + 1 < tiles ? a + next * kChannels : after};
      multiply_rows<Vectors, InRows<kChannels>>(static_cast<int>(next - row), a + row * kChannels, u, depth,
                                                sum + row * width, c == 0, ahead);
      row = next;
    }
  }

  void finish_tiles() const {
    int64_t picture = -1, finished = 0;
    for (int64_t t = 0; t < count; t++) {
      float pixels[F::kOutputs * F::kOutputs * width];
      for (int j = 0; j < Vectors; j++) {
        const float* from = sums + t * width + j * kWidth;
        transform_pixels(from, pixels + j * kWidth);
      }
      const Place place(cut, first + t);
      const int64_t part = cut.part(first / cut.group, place.picture);
      if (place.picture != picture) finished = 0;
      picture = place.picture;
      const Range x = cut.columns.outputs({place.x, place.x + 1}),
                  y = cut.rows.outputs({place.y, place.y + 1});
      const int64_t left = x.first - cut.columns.first_output(place.x);
      const int64_t top = cut.rows.first_output(place.y);
      for (int64_t at = y.first; at < y.last; at++) {
        const int64_t m = (place.picture * args.ho + at) * args.wo + x.first;
        const float* row = pixels + ((at - top) * F::kOutputs + left) * width;
        const int across = static_cast<int>(x.size());
        finish(epilogue, shape, {row, across, width, m, column, moments.stretch(part, finished == 0)});
        finished += across;
      }
      if (column == 0) moments.set_pixels(part, finished);
    }
  }

  void transform_pixels(const float* from, float* to) const {
    const auto read = [&](int i, int j) { return load(from + (i * F::kLineProducts + j) * sums_point()); };
    const auto write = [&](int i, int j, Vec v) { store(to + (i * F::kOutputs + j) * width, v); };
    transform_square<F::kLineProducts, F::kOutputs>(read, F::transform_sum_line, write);
  }
};

size_t bytes_of(int64_t floats) {
  return static_cast<size_t>(floats) * sizeof(float);
}

template <class F>
constexpr int64_t kWeightFloats = kRowsAtOnce<F> * F::kWeights * (kChannels * kPanel + kApart);

template <class F>
struct Convolution {
  const Conv2dArgs& args;
  const Epilogue& epilogue;
  const Cut<F> cut;
  const GemmShape shape;
  const Exec& exec;
  const ChannelMoments moments;

  float* patches() const {
    return reinterpret_cast<float*>(exec.shared_scratch) + moments_floats(args, cut.parts());
  }

  template <int Vectors>
  void run_group(int64_t first, int64_t stretch_first, int64_t stretch_last, int64_t index,
                 int thread) const {
    float* scratch = exec.scratch<float>(thread);
    const Group<F, Vectors> group{args,
                                  cut,
                                  epilogue,
                                  shape,
                                  patches(),
                                  first,
                                  min(cut.group, stretch_last - first),
                                  first - stretch_first,
                                  index * kPanel,
                                  {args.weight, panel_offset(9 * args.c, index), args.c, scratch},
                                  scratch + kWeightFloats<F>,
                                  moments};
    group.multiply();
    group.finish_tiles();
  }

  // The rows of x that the tiles [first, last) read, as they are or normalized into the scratch memory.
  Source prepare(int64_t first, int64_t last, float* normalized) const {
    if (args.mean == nullptr) return {args.x, 0};
    const Range rows = cut.rows_read(args, first, last);
    const int64_t floats = args.w * args.c;
    with_activation(args.input_activation, [&](auto kind) {
      parallel_for(exec, rows.last - rows.first, [&](int64_t task, int) {
        const int64_t row = rows.first + task;
        const Factors factors = Factors{args.mean, args.factor, args.shift}.of_picture(row / args.h, args.c);
        normalize<decltype(kind)::value>(args.x + row * floats, factors, args.w, args.c,
                                         normalized + task * floats);
      });
    });
    return {normalized, rows.first};
  }

  void run_stretch(int64_t first, int64_t last) const {
    const Source source = prepare(first, last, patches() + kPixels<F> * cut.point);
    parallel_for(exec, ceil_div(last - first, kTilesPerTask), [&](int64_t task, int) {
      const int64_t begin = first + task * kTilesPerTask;
      for (int64_t tile = begin; tile < min(begin + kTilesPerTask, last); tile++) {
        transform_patch(args, source, cut, tile, tile - first, patches());
      }
    });
    const int64_t panels = panel_count(args.o);
    parallel_for(exec, ceil_div(last - first, cut.group) * panels, [&](int64_t task, int thread) {
      const int64_t begin = first + task / panels * cut.group;
      const int64_t panel = task % panels;
      if (panel_width(args.o, panel) == kPanel) {
        run_group<2>(begin, first, last, panel, thread);
      } else {
        run_group<1>(begin, first, last, panel, thread);
      }
    });
  }

  void run() const {
    for (int64_t first = 0; first < cut.tiles; first += cut.stretch) {
      run_stretch(first, min(first + cut.stretch, cut.tiles));
    }
    if (args.channel_mean == nullptr) return;
    const int64_t each = cut.tiles / args.n;
    for (int64_t picture = 0; picture < args.n; picture++) {
      const int64_t first = cut.part(picture * each / cut.group, picture);
      const int64_t last = cut.part(((picture + 1) * each - 1) / cut.group, picture);
      join_moments(args, exec, picture, first, last + 1);
    }
  }
};

template <class F>
void convolve(const Conv2dArgs& args, const Epilogue& epilogue, const Exec& exec) {
  const GemmShape shape{args.n * args.ho * args.wo, args.o, 9 * args.c};
  Convolution<F>{args, epilogue, Cut<F>(args), shape, exec, moments_of(args, exec)}.run();
}

template <class F>
ScratchSize scratch_of(const Conv2dArgs& args) {
  const Cut<F> cut(args);
  int64_t rows = 0;
  for (int64_t first = 0; args.mean != nullptr && first < cut.tiles; first += cut.stretch) {
    const Range read = cut.rows_read(args, first, min(first + cut.stretch, cut.tiles));
    if (read.last - read.first > rows) rows = read.last - read.first;
  }
  return {bytes_of(kWeightFloats<F> + kProducts<F> * (cut.group * kPanel + kApart)),
          bytes_of(moments_floats(args, cut.parts()) + kPixels<F> * cut.point + rows * args.w * args.c)};
}

}  // namespace

void winograd(const Conv2dArgs& args, const Epilogue& epilogue, const Exec& exec) {
  with_tile_size(args, [&](auto f) { convolve<decltype(f)>(args, epilogue, exec); });
}

ScratchSize winograd_scratch(const Conv2dArgs& args) {
  return with_tile_size(args, [&](auto f) { return scratch_of<decltype(f)>(args); });
}

}  // namespace tintype::TINTYPE_ISA
