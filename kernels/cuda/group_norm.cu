// One kernel for groups that shared memory can hold, two for larger ones, all bound by bandwidth: what a
// processor is to read is on its way before the first of it is used.
#include <type_traits>

#include "arrivals.cuh"
#include "async_copy.cuh"
#include "group_norm.h"
#include "math.cuh"
#include "tensor_core.cuh"

namespace tintype::cuda {

namespace {

// V channels as they lie in memory.
template <int V>
using Raw =
    std::conditional_t<V == 8, uint4,
                       std::conditional_t<V == 4, uint2, std::conditional_t<V == 2, uint32_t, Element>>>;

template <int V>
__device__ Raw<V> load_raw(const Element* p) {
  return *reinterpret_cast<const Raw<V>*>(p);
}

template <int V>
__device__ void unpack(const Raw<V>& raw, float* v) {
  if constexpr (V == 1) {
    v[0] = to_float(raw);
  } else {
    const uint32_t* pairs = reinterpret_cast<const uint32_t*>(&raw);
#pragma unroll
    for (int i = 0; i < V / 2; i++) {
      const float2 pair = cuda::unpack(pairs[i]);
      v[2 * i] = pair.x, v[2 * i + 1] = pair.y;
    }
  }
}

template <int V>
__device__ void store_channels(Element* p, const float* v) {
  Raw<V> raw;
  if constexpr (V == 1) {
    raw = to_element(v[0]);
  } else {
    uint32_t* pairs = reinterpret_cast<uint32_t*>(&raw);
#pragma unroll
    for (int i = 0; i < V / 2; i++) pairs[i] = pack(v[2 * i], v[2 * i + 1]);
  }
  *reinterpret_cast<Raw<V>*>(p) = raw;
}

// The channels of a picture from some channel on, in the first pixel, and how far its pixels are apart.
struct Channels {
  const Element* x;
  int64_t stride;
};

template <class Args>
__device__ Channels channels_of(const Args& op, const SecondChannels& second, int picture, int channel) {
  const bool is_first = channel < second.from;
  const int64_t stride = is_first ? second.from : op.c - second.from;
  const Element* x = elements(is_first ? op.x : second.x) + picture * op.hw * stride;
  return {x + (is_first ? channel : channel - second.from), stride};
}

// --- a block for one group of one picture

// The first of them is 1.
__device__ void wait_for_stage(int stage) {
  static_assert(group_whole_stages == 4);
  if (stage == 1) {
    wait_for_copies<3>();
  } else if (stage == 2) {
    wait_for_copies<2>();
  } else if (stage == 3) {
    wait_for_copies<1>();
  } else {
    wait_for_copies<0>();
  }
}

// Of all threads; `sums` has a place for each warp.
__device__ float2 block_sum(float2 value, float2* sums) {
  value = make_float2(warp_sum(value.x), warp_sum(value.y));
  const int lane = threadIdx.x % 32;
  if (lane == 0) sums[threadIdx.x / 32] = value;
  __syncthreads();
  value = lane < blockDim.x / 32 ? sums[lane] : make_float2(0, 0);
  return make_float2(warp_sum(value.x), warp_sum(value.y));
}

// Every thread reads only what it has copied itself, so that nothing but the sums needs a barrier.
template <int V>
__device__ void whole(const GroupWholeLaunch& a) {
  extern __shared__ __align__(16) float shared[];
  const int column = threadIdx.x % a.columns, row = threadIdx.x / a.columns;
  const int first_channel = blockIdx.x * a.width + column * V;
  const Channels own = channels_of(a.op, a.second, blockIdx.y, first_channel);
  Element* kept = reinterpret_cast<Element*>(shared + group_whole_sums);
  const int size = static_cast<int>(a.op.hw) * a.width, step = a.rows * a.width;
  // The threads behind the last row have nothing to do.
  const int first = row < a.rows ? row * a.width + column * V : size;
  const Element* x = own.x + row * own.stride;
  int at = first;
#pragma unroll 1
  for (int s = 1; s <= group_whole_stages; s++) {
    const int end = min(size, s * a.stage_turns * step);
#pragma unroll 4
    for (; at < end; at += step, x += a.rows * own.stride) copy_async<V * 2>(kept + at, x);
    commit_copies();
  }
  // Where the mean is large against the deviation, squares of the numbers themselves would lose it.
  const float shift = to_float(*channels_of(a.op, a.second, blockIdx.y, blockIdx.x * a.width).x);
  float factor[V], bias[V];
#pragma unroll
  for (int i = 0; i < V; i++) {
    factor[i] = a.op.gamma[first_channel + i];
    bias[i] = a.op.beta[first_channel + i];
  }
  float sum = 0, squares = 0;
  at = first;
#pragma unroll
  for (int s = 1; s <= group_whole_stages; s++) {
    wait_for_stage(s);
    const int end = min(size, s * a.stage_turns * step);
#pragma unroll 2
    for (; at < end; at += step) {
      float v[V];
      unpack<V>(load_raw<V>(kept + at), v);
#pragma unroll
      for (int i = 0; i < V; i++) {
        sum += v[i] - shift;
        squares += (v[i] - shift) * (v[i] - shift);
      }
    }
  }
  const float2 total = block_sum({sum, squares}, reinterpret_cast<float2*>(shared));
  const float share = reciprocal(static_cast<float>(size)), offset = total.x * share;
  const float inverse = rsqrtf(fmaxf(total.y * share - offset * offset, 0.f) + a.op.eps);
#pragma unroll
  for (int i = 0; i < V; i++) {
    factor[i] *= inverse;
    bias[i] -= (shift + offset) * factor[i];
  }
  const int64_t c = a.op.c;
  Element* y = elements(a.op.y) + (blockIdx.y * a.op.hw + row) * c + first_channel;
  constexpr int at_once = group_whole_at_once(V);
#pragma unroll 1
  for (at = first; at < size; at += at_once * step) {
    float v[at_once * V];
#pragma unroll
    for (int u = 0; u < at_once; u++) {
      unpack<V>(load_raw<V>(kept + min(at + u * step, size - V)), v + u * V);
#pragma unroll
      for (int i = 0; i < V; i++) v[u * V + i] = v[u * V + i] * factor[i] + bias[i];
    }
    activate(v, a.op.activation);
#pragma unroll
    for (int u = 0; u < at_once; u++, y += a.rows * c) {
      if (at + u * step < size) store_channels<V>(y, v + u * V);
    }
  }
}

// --- blocks for stretches of pixels

// Where a thread works: its first channel, its first pixel, the end of its stretch.
struct Place {
  int column, row, channel, first, end;
  bool inside;

  template <int V>
  __device__ static Place of(const GroupNormCut& cut, int64_t hw, int64_t c) {
    Place p;
    p.column = threadIdx.x % cut.columns;
    p.row = threadIdx.x / cut.columns;
    p.channel = (blockIdx.y * cut.columns + p.column) * V;
    p.first = blockIdx.x * cut.stretch;
    p.end = min(p.first + cut.stretch, static_cast<int>(hw));
    p.inside = p.row < cut.rows && p.channel < c;
    return p;
  }
};

inline constexpr int loads_at_once = 4;

// Pixels from `row` on that a thread takes in a turn; `otherwise` where there are none.
template <int V>
__device__ void load_turn(const Element* x, int pixel, int end, int rows, int64_t stride,
                          const Raw<V>& otherwise, Raw<V> (&raw)[loads_at_once]) {
#pragma unroll
  for (int u = 0; u < loads_at_once; u++) {
    const int at = pixel + u * rows;
    raw[u] = otherwise;
    if (at < end) raw[u] = load_raw<V>(x + at * stride);
  }
}

// Numbers of which there are `count`: `squares` is the sum of squared differences to their mean.
struct Moments {
  float count = 0, mean = 0, squares = 0;
};

// Chan et al., 1979. The first part is taken as it is.
__device__ void join(Moments& into, const Moments& more) {
  const float count = into.count + more.count;
  const float share = into.count == 0 ? 1.f : more.count * reciprocal(count);
  const float difference = more.mean - into.mean;
  into.mean += difference * share;
  into.squares += more.squares + difference * difference * into.count * share;
  into.count = count;
}

inline constexpr int lanes = 16;  // that join the parts of a group
inline constexpr int parts_at_once = 8;

__device__ Moments join_lanes(Moments m) {
#pragma unroll
  for (int distance = lanes / 2; distance > 0; distance /= 2) {
    const Moments other = {__shfl_down_sync(0xffffffff, m.count, distance, lanes),
                           __shfl_down_sync(0xffffffff, m.mean, distance, lanes),
                           __shfl_down_sync(0xffffffff, m.squares, distance, lanes)};
    join(m, other);
  }
  return m;
}

// Sums of a stretch for each channel, of differences to its first pixel: where the mean is large against the
// deviation, squares of the numbers themselves would lose it. sums [2][V][plane] are then, for the first
// row of threads, means and sums of squares around them.
template <int V>
__device__ void sum_channels(const GroupFactorsLaunch& a, const Place& at, float* sums) {
  float shift[V], sum[V] = {}, squares[V] = {};
  if (at.inside) {
    const Channels own = channels_of(a.op, a.second, blockIdx.z, at.channel);
    const Raw<V> first = load_raw<V>(own.x + at.first * own.stride);
    unpack<V>(first, shift);
    for (int pixel = at.first + at.row; pixel < at.end; pixel += loads_at_once * a.cut.rows) {
      Raw<V> raw[loads_at_once];
      // The first pixel adds nothing.
      load_turn<V>(own.x, pixel, at.end, a.cut.rows, own.stride, first, raw);
#pragma unroll
      for (int u = 0; u < loads_at_once; u++) {
        float v[V];
        unpack<V>(raw[u], v);
#pragma unroll
        for (int i = 0; i < V; i++) {
          sum[i] += v[i] - shift[i];
          squares[i] += (v[i] - shift[i]) * (v[i] - shift[i]);
        }
      }
    }
  }
  const int plane = group_factors_plane(a.cut);
#pragma unroll
  for (int i = 0; i < V; i++) {
    sums[i * plane + threadIdx.x] = sum[i];
    sums[(V + i) * plane + threadIdx.x] = squares[i];
  }
  __syncthreads();
  for (int i = threadIdx.x; i < a.cut.columns * V; i += blockDim.x) {
    const int column = i % a.cut.columns,
              channel = (blockIdx.y * a.cut.columns + column) * V + i / a.cut.columns;
    if (channel >= a.op.c) continue;
    float* place = sums + i / a.cut.columns * plane + column;
    float total = 0, total_squares = 0;
    for (int row = 0; row < a.cut.rows; row++) {
      total += place[row * a.cut.columns];
      total_squares += place[V * plane + row * a.cut.columns];
    }
    const float mean = total * reciprocal(static_cast<float>(at.end - at.first));
    const Channels of_channel = channels_of(a.op, a.second, blockIdx.z, channel);
    place[0] = to_float(of_channel.x[at.first * of_channel.stride]) + mean;
    place[V * plane] = total_squares - total * mean;
  }
  __syncthreads();
}

// Channels [first, end) that the panel of a block has of a group.
struct Overlap {
  int first, end;

  __device__ Overlap(int group, int width, int panel, int panel_channels) {
    first = max(group * width, panel * panel_channels);
    end = min((group + 1) * width, (panel + 1) * panel_channels);
  }
};

// Where the parts of a group begin that the blocks of a panel have found.
__device__ float2* parts_of(const GroupFactorsLaunch& a, int group, int panel) {
  const int64_t row = (static_cast<int64_t>(blockIdx.z) * a.op.groups + group) * a.cut.panels + panel;
  return reinterpret_cast<float2*>(a.partials) + row * a.cut.stretches;
}

// The groups of a block, from its channels.
template <int V>
__device__ void join_channels(const GroupFactorsLaunch& a, const Place& at, const float* sums) {
  const int width = static_cast<int>(a.op.c) / a.op.groups, panel_channels = a.cut.columns * V;
  const int panel_first = blockIdx.y * panel_channels, plane = group_factors_plane(a.cut);
  const float pixels = static_cast<float>(at.end - at.first);
  for (int begin = panel_first / width; begin < a.op.groups; begin += blockDim.x / lanes) {
    const int group = begin + threadIdx.x / lanes;
    Moments m;
    if (group < a.op.groups) {
      const Overlap channels(group, width, blockIdx.y, panel_channels);
      for (int channel = channels.first + threadIdx.x % lanes; channel < channels.end; channel += lanes) {
        const float* place = sums + channel % V * plane + (channel - panel_first) / V;
        join(m, {pixels, place[0], place[V * plane]});
      }
    }
    m = join_lanes(m);
    if (threadIdx.x % lanes == 0 && m.count > 0) {
      parts_of(a, group, blockIdx.y)[blockIdx.x] = make_float2(m.mean, m.squares);
    }
  }
}

// The factors of a picture, from the groups of all its blocks.
template <int V>
__device__ void join_blocks(const GroupFactorsLaunch& a) {
  const int width = static_cast<int>(a.op.c) / a.op.groups, lane = threadIdx.x % lanes;
  for (int begin = 0; begin < a.op.groups; begin += blockDim.x / lanes) {
    const int group = begin + threadIdx.x / lanes;
    Moments m;
    for (int panel = 0; panel < a.cut.panels && group < a.op.groups; panel++) {
      const Overlap channels(group, width, panel, a.cut.columns * V);
      if (channels.first >= channels.end) continue;
      const float2* parts = parts_of(a, group, panel);
      for (int stretch = lane; stretch < a.cut.stretches; stretch += lanes * parts_at_once) {
        float2 part[parts_at_once];
#pragma unroll
        for (int u = 0; u < parts_at_once; u++) {
          const int index = stretch + u * lanes;
          part[u] = index < a.cut.stretches ? __ldcg(parts + index) : make_float2(0, 0);
        }
#pragma unroll
        for (int u = 0; u < parts_at_once; u++) {
          const int left = static_cast<int>(a.op.hw) - (stretch + u * lanes) * a.cut.stretch;
          const int pixels = max(0, min(a.cut.stretch, left));
          join(m, {static_cast<float>((channels.end - channels.first) * pixels), part[u].x, part[u].y});
        }
      }
    }
    m = join_lanes(m);
    // All lanes go on with the sums of the first.
    const float mean = __shfl_sync(0xffffffff, m.mean, 0, lanes);
    const float variance = __shfl_sync(0xffffffff, m.squares / m.count, 0, lanes);
    const float inverse = rsqrtf(variance + a.op.eps);
    if (group >= a.op.groups) continue;
    for (int channel = group * width + lane; channel < (group + 1) * width; channel += lanes) {
      const int64_t i = blockIdx.z * a.op.c + channel;
      a.op.mean[i] = mean;
      a.op.factor[i] = inverse * a.op.gamma[channel];
      a.op.shift[i] = a.op.beta[channel];
    }
  }
}

__device__ uint32_t group_norm_there[group_norm_pictures];

// The last block of a picture joins what all have found.
template <int V>
__device__ void factors(const GroupFactorsLaunch& a) {
  extern __shared__ __align__(16) float shared[];
  const Place at = Place::of<V>(a.cut, a.op.hw, a.op.c);
  sum_channels<V>(a, at, shared);
  join_channels<V>(a, at, shared);
  uint32_t* word = reinterpret_cast<uint32_t*>(shared);
  __syncthreads();
  if (arrives_last(group_norm_there + blockIdx.z, gridDim.x * gridDim.y, word)) join_blocks<V>(a);
}

template <int V>
__device__ void load_factors(const float* p, float (&v)[V]) {
  if constexpr (V == 1) {
    v[0] = *p;
  } else {
    load(p, v);
  }
}

// From the end of each stretch to its begin: the L2 cache still has what group_factors has read last.
template <int V>
__device__ void normalize_stretch(const NormalizeLaunch& a) {
  const Place at = Place::of<V>(a.cut, a.op.hw, a.op.c);
  if (!at.inside) return;
  const int64_t c = a.op.c;
  const Channels own = channels_of(a.op, a.second, blockIdx.z, at.channel);
  Element* y = elements(a.op.y) + blockIdx.z * a.op.hw * c + at.channel;
  const int turn = loads_at_once * a.cut.rows;
  int pixel = at.first + at.row + (at.end - at.first - 1) / turn * turn;
  Raw<V> raw[loads_at_once];
  load_turn<V>(own.x, pixel, at.end, a.cut.rows, own.stride, {}, raw);
  float mean[V], factor[V], bias[V];
  load_factors(a.op.mean + blockIdx.z * c + at.channel, mean);
  load_factors(a.op.factor + blockIdx.z * c + at.channel, factor);
  load_factors(a.op.shift + blockIdx.z * c + at.channel, bias);
#pragma unroll
  for (int i = 0; i < V; i++) bias[i] -= mean[i] * factor[i];
  while (pixel >= at.first) {
#pragma unroll
    for (int u = 0; u < loads_at_once; u++) {
      if (pixel + u * a.cut.rows >= at.end) continue;
      float v[V];
      unpack<V>(raw[u], v);
#pragma unroll
      for (int i = 0; i < V; i++) v[i] = v[i] * factor[i] + bias[i];
      activate(v, a.op.activation);
      store_channels<V>(y + (pixel + u * a.cut.rows) * c, v);
    }
    pixel -= turn;
    if (pixel >= at.first) load_turn<V>(own.x, pixel, at.end, a.cut.rows, own.stride, {}, raw);
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(group_whole_threads)
    group_norm_whole_1(const __grid_constant__ GroupWholeLaunch a) {
  whole<1>(a);
}
extern "C" __global__ void __launch_bounds__(group_whole_threads)
    group_norm_whole_2(const __grid_constant__ GroupWholeLaunch a) {
  whole<2>(a);
}
extern "C" __global__ void __launch_bounds__(group_whole_threads)
    group_norm_whole_4(const __grid_constant__ GroupWholeLaunch a) {
  whole<4>(a);
}
extern "C" __global__ void __launch_bounds__(group_whole_threads)
    group_norm_whole_8(const __grid_constant__ GroupWholeLaunch a) {
  whole<8>(a);
}

extern "C" __global__ void __launch_bounds__(group_norm_threads, group_norm_resident)
    group_factors_1(const __grid_constant__ GroupFactorsLaunch a) {
  factors<1>(a);
}
extern "C" __global__ void __launch_bounds__(group_norm_threads, group_norm_resident)
    group_factors_8(const __grid_constant__ GroupFactorsLaunch a) {
  factors<8>(a);
}

extern "C" __global__ void __launch_bounds__(group_norm_threads, group_norm_resident)
    normalize_1(const __grid_constant__ NormalizeLaunch a) {
  normalize_stretch<1>(a);
}
extern "C" __global__ void __launch_bounds__(group_norm_threads, group_norm_resident)
    normalize_8(const __grid_constant__ NormalizeLaunch a) {
  normalize_stretch<8>(a);
}

}  // namespace tintype::cuda
