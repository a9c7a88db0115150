// One kernel for groups that a block can take, two for larger ones, bound by bandwidth: x is read twice, the
// second time mostly from the L2 cache.
#include "arrivals.cuh"
#include "chunk.cuh"
#include "group_norm.h"
#include "math.cuh"

namespace tintype::cuda {

namespace {

template <int V>
__device__ void load_channels(const Element* p, float (&v)[V]) {
  if constexpr (V == 8) {
    load(p, v);
  } else if constexpr (V == 1) {
    v[0] = to_float(*p);
  } else {
    uint32_t pairs[V / 2];
    if constexpr (V == 4) {
      const uint2 raw = *reinterpret_cast<const uint2*>(p);
      pairs[0] = raw.x, pairs[1] = raw.y;
    } else {
      pairs[0] = *reinterpret_cast<const uint32_t*>(p);
    }
#pragma unroll
    for (int i = 0; i < V / 2; i++) {
      const float2 pair = unpack(pairs[i]);
      v[2 * i] = pair.x, v[2 * i + 1] = pair.y;
    }
  }
}

template <int V>
__device__ void store_channels(Element* p, const float (&v)[V]) {
  if constexpr (V == 8) {
    store(p, v);
  } else if constexpr (V == 4) {
    *reinterpret_cast<uint2*>(p) = make_uint2(pack(v[0], v[1]), pack(v[2], v[3]));
  } else if constexpr (V == 2) {
    *reinterpret_cast<uint32_t*>(p) = pack(v[0], v[1]);
  } else {
    put(p, v[0]);
  }
}

// Where a thread works: the first of its channels, its first pixel, the end of its stretch.
struct Place {
  int column, row, channel, first, end;
  bool inside;
  const Element* x;

  template <int V>
  __device__ static Place of(const GroupNormLaunch& a) {
    Place p;
    p.column = threadIdx.x % group_norm_columns;
    p.row = threadIdx.x / group_norm_columns;
    p.channel = (blockIdx.y * group_norm_columns + p.column) * V;
    p.first = blockIdx.x * a.stretch;
    p.end = min(p.first + a.stretch, static_cast<int>(a.op.hw));
    p.inside = p.channel < a.op.c;
    p.x = elements(a.op.x) + blockIdx.z * a.op.hw * a.op.c + p.channel;
    return p;
  }
};

// Sums of a stretch for each channel, of differences to its first pixel: where the mean is large against the
// deviation, squares of the numbers themselves would lose it.
template <int V>
__device__ void partial(const GroupNormLaunch& a, float* sums) {  // [2][V][rows][columns]
  const Place at = Place::of<V>(a);
  const int64_t c = a.op.c;
  float shift[V] = {}, sum[V] = {}, squares[V] = {};
  if (at.inside) {
    load_channels(at.x + at.first * c, shift);
    for (int pixel = at.first + at.row; pixel < at.end; pixel += group_norm_rows) {
      float v[V];
      load_channels(at.x + pixel * c, v);
#pragma unroll
      for (int i = 0; i < V; i++) {
        sum[i] += v[i] - shift[i];
        squares[i] += (v[i] - shift[i]) * (v[i] - shift[i]);
      }
    }
  }
  constexpr int plane = group_norm_threads;
#pragma unroll
  for (int i = 0; i < V; i++) {
    sums[i * plane + threadIdx.x] = sum[i];
    sums[(V + i) * plane + threadIdx.x] = squares[i];
  }
  __syncthreads();
  // A thread for each channel: column threadIdx % 32, the one of its V that the row says.
  const int channel = at.channel + at.row;
  if (at.row >= V || channel >= c) return;
  float total = 0, total_squares = 0;
  for (int row = 0; row < group_norm_rows; row++) {
    total += sums[at.row * plane + row * group_norm_columns + at.column];
    total_squares += sums[(V + at.row) * plane + row * group_norm_columns + at.column];
  }
  const int count = at.end - at.first;
  const float first = to_float(at.x[at.first * c + at.row]);
  const float mean = total / count;
  float* out = a.partials + ((blockIdx.z * static_cast<int64_t>(a.stretches) + blockIdx.x) * c + channel) * 2;
  out[0] = first + mean;
  out[1] = total_squares - total * mean;
}

// Shared memory has a float for each warp.
template <int Threads>
__device__ float block_sum(float value, float* shared) {
  value = warp_sum(value);
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = value;
  __syncthreads();
  value = 0;
  for (int w = 0; w < Threads / 32; w++) value += shared[w];
  __syncthreads();
  return value;
}

// Of one group, by a whole block: the mean of the means, then the squares around it (Chan et al., 1979).
__device__ void join_group(const GroupNormLaunch& a, int group, float* shared) {
  const int width = static_cast<int>(a.op.c) / a.op.groups, items = width * a.stretches;
  const float* partials = a.partials + blockIdx.z * a.stretches * a.op.c * 2 + group * width * 2;
  const auto for_items = [&](auto f) {
    for (int i = threadIdx.x; i < items; i += group_norm_threads) {
      const int stretch = i / width;
      const float2 p = __ldcg(reinterpret_cast<const float2*>(partials + (stretch * a.op.c + i % width) * 2));
      const int count = min(a.stretch, static_cast<int>(a.op.hw) - stretch * a.stretch);
      f(static_cast<float>(count), p.x, p.y);
    }
  };
  float sum = 0, squares = 0;
  // Of differences to one of the means, as in the stretches.
  const float shift = __ldcg(partials);
  for_items([&](float count, float mean, float) { sum += count * (mean - shift); });
  const float total = static_cast<float>(width) * static_cast<float>(a.op.hw);
  const float mean = shift + block_sum<group_norm_threads>(sum, shared) / total;
  for_items([&](float count, float m, float s) { squares += s + count * (m - mean) * (m - mean); });
  squares = block_sum<group_norm_threads>(squares, shared);
  if (threadIdx.x != 0) return;
  float* out = a.statistics + (blockIdx.z * static_cast<int64_t>(a.op.groups) + group) * 2;
  out[0] = mean;
  out[1] = rsqrtf(squares / total + a.op.eps);
}

__device__ uint32_t group_norm_there[group_norm_pictures];

// The last block of a picture joins what all have found.
template <int V>
__device__ void statistics(const GroupNormLaunch& a) {
  extern __shared__ float shared[];
  partial<V>(a, shared);
  uint32_t* word = reinterpret_cast<uint32_t*>(shared);
  __syncthreads();
  if (!arrives_last(group_norm_there + blockIdx.z, gridDim.x * gridDim.y, word)) return;
  for (int group = 0; group < a.op.groups; group++) join_group(a, group, shared);
}

// A block for one group of one picture. The second pass finds x in the L2 cache.
template <int V>
__device__ void whole(const GroupNormArgs& a) {
  __shared__ float shared[group_norm_whole_threads / 32];
  const int c = static_cast<int>(a.c), width = c / a.groups, hw = static_cast<int>(a.hw);
  const int columns = width / V, rows = max(1, group_norm_whole_threads / columns);
  const int64_t first = blockIdx.y * a.hw * a.c + blockIdx.x * width;
  const Element* x = elements(a.x) + first;
  Element* y = elements(a.y) + first;
  // A thread stays in its column; groups with more columns than threads are gone through in turns.
  const auto for_pixels = [&](auto begin, auto f) {
    for (int column = threadIdx.x % columns; column < columns; column += group_norm_whole_threads) {
      const int row = columns > group_norm_whole_threads ? 0 : threadIdx.x / columns;
      if (row >= rows) continue;
      begin(column * V);
#pragma unroll 4
      for (int pixel = row; pixel < hw; pixel += rows) f(static_cast<int64_t>(pixel) * c + column * V);
    }
  };
  float sum = 0, squares = 0;
  // Where the mean is large against the deviation, squares of the numbers themselves would lose it.
  const float shift = to_float(x[0]);
  for_pixels([](int) {},
             [&](int64_t at) {
               float v[V];
               load_channels(x + at, v);
#pragma unroll
               for (int i = 0; i < V; i++) {
                 sum += v[i] - shift;
                 squares += (v[i] - shift) * (v[i] - shift);
               }
             });
  const float total = static_cast<float>(width) * static_cast<float>(hw);
  sum = block_sum<group_norm_whole_threads>(sum, shared) / total;
  squares = block_sum<group_norm_whole_threads>(squares, shared) / total;
  const float mean = shift + sum, inverse = rsqrtf(fmaxf(squares - sum * sum, 0.f) + a.eps);
  float factor[V], beta[V];
  for_pixels(
      [&](int channel) {
#pragma unroll
        for (int i = 0; i < V; i++) {
          factor[i] = inverse * a.gamma[blockIdx.x * width + channel + i];
          beta[i] = a.beta[blockIdx.x * width + channel + i];
        }
      },
      [&](int64_t at) {
        float v[V];
        load_channels(x + at, v);
#pragma unroll
        for (int i = 0; i < V; i++) v[i] = (v[i] - mean) * factor[i] + beta[i];
        activate(v, a.activation);
        store_channels(y + at, v);
      });
}

template <int V>
__device__ void apply(const GroupNormLaunch& a) {
  const Place at = Place::of<V>(a);
  if (!at.inside) return;
  const int width = static_cast<int>(a.op.c) / a.op.groups;
  const float* statistics = a.statistics + blockIdx.z * static_cast<int64_t>(a.op.groups) * 2;
  float mean[V], factor[V], beta[V];
#pragma unroll
  for (int i = 0; i < V; i++) {
    const int channel = at.channel + i, group = channel / width;
    mean[i] = statistics[group * 2];
    factor[i] = statistics[group * 2 + 1] * a.op.gamma[channel];
    beta[i] = a.op.beta[channel];
  }
  Element* y = elements(a.op.y) + blockIdx.z * a.op.hw * a.op.c + at.channel;
  for (int pixel = at.first + at.row; pixel < at.end; pixel += group_norm_rows) {
    float v[V];
    load_channels(at.x + pixel * a.op.c, v);
#pragma unroll
    for (int i = 0; i < V; i++) v[i] = (v[i] - mean[i]) * factor[i] + beta[i];
    activate(v, a.op.activation);
    store_channels(y + pixel * a.op.c, v);
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(group_norm_threads)
    group_norm_statistics_1(const __grid_constant__ GroupNormLaunch a) {
  statistics<1>(a);
}
extern "C" __global__ void __launch_bounds__(group_norm_threads)
    group_norm_statistics_8(const __grid_constant__ GroupNormLaunch a) {
  statistics<8>(a);
}

extern "C" __global__ void __launch_bounds__(group_norm_threads) group_norm_apply_1(GroupNormLaunch a) {
  apply<1>(a);
}
extern "C" __global__ void __launch_bounds__(group_norm_threads) group_norm_apply_8(GroupNormLaunch a) {
  apply<8>(a);
}

extern "C" __global__ void __launch_bounds__(group_norm_whole_threads, 2)
    group_norm_whole_1(const __grid_constant__ GroupNormArgs a) {
  whole<1>(a);
}
extern "C" __global__ void __launch_bounds__(group_norm_whole_threads, 2)
    group_norm_whole_2(const __grid_constant__ GroupNormArgs a) {
  whole<2>(a);
}
extern "C" __global__ void __launch_bounds__(group_norm_whole_threads, 2)
    group_norm_whole_4(const __grid_constant__ GroupNormArgs a) {
  whole<4>(a);
}
extern "C" __global__ void __launch_bounds__(group_norm_whole_threads, 2)
    group_norm_whole_8(const __grid_constant__ GroupNormArgs a) {
  whole<8>(a);
}

// A thread for each channel of each picture. Latency.
extern "C" __global__ void __launch_bounds__(group_norm_threads) group_factors(GroupFactorsLaunch a) {
  const int64_t i = blockIdx.x * static_cast<int64_t>(group_norm_threads) + threadIdx.x;
  if (i >= a.op.n * a.op.c) return;
  const int64_t picture = i / a.op.c, channel = i % a.op.c, group = channel / (a.op.c / a.op.groups);
  const float* statistics = a.statistics + (picture * a.op.groups + group) * 2;
  a.op.mean[i] = statistics[0];
  a.op.factor[i] = statistics[1] * a.op.gamma[channel];
  a.op.shift[i] = a.op.beta[channel];
}

}  // namespace tintype::cuda
