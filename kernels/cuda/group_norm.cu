// Three kernels, bound by bandwidth: x is read twice, the second time mostly from the L2 cache.
#include "chunk.cuh"
#include "group_norm.h"
#include "math.cuh"

namespace tintype::cuda {

namespace {

template <int V>
__device__ void load_channels(const Element* p, float (&v)[V]) {
  if constexpr (V == chunk) {
    load(p, v);
  } else {
    v[0] = to_float(*p);
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
__device__ void partial(const GroupNormLaunch& a) {
  extern __shared__ float sums[];  // [2][V][rows][columns]
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
  if (at.row >= V) return;
  const int channel = at.channel + at.row;
  if (channel >= c) return;
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

__device__ float block_sum(float value, float* shared) {
  value = warp_sum(value);
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = value;
  __syncthreads();
  value = 0;
  for (int w = 0; w < group_norm_threads / 32; w++) value += shared[w];
  __syncthreads();
  return value;
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
    if constexpr (V == chunk) {
      store(y + pixel * a.op.c, v);
    } else {
      put(y + pixel * a.op.c, v[0]);
    }
  }
}

}  // namespace

extern "C" __global__ void __launch_bounds__(group_norm_threads) group_norm_partial_1(GroupNormLaunch a) {
  partial<1>(a);
}
extern "C" __global__ void __launch_bounds__(group_norm_threads) group_norm_partial_8(GroupNormLaunch a) {
  partial<8>(a);
}

// A block for each group and picture: the mean of the means, then the squares around it (Chan et al., 1979).
extern "C" __global__ void __launch_bounds__(group_norm_threads) group_norm_statistics(GroupNormLaunch a) {
  __shared__ float shared[group_norm_threads / 32];
  const int width = static_cast<int>(a.op.c) / a.op.groups, items = width * a.stretches;
  const float* partials = a.partials + blockIdx.y * a.stretches * a.op.c * 2 + blockIdx.x * width * 2;
  const auto for_items = [&](auto f) {
    for (int i = threadIdx.x; i < items; i += group_norm_threads) {
      const int stretch = i / width;
      const float* p = partials + (stretch * a.op.c + i % width) * 2;
      const int count = min(a.stretch, static_cast<int>(a.op.hw) - stretch * a.stretch);
      f(static_cast<float>(count), p[0], p[1]);
    }
  };
  float sum = 0, squares = 0;
  // Of differences to one of the means, as in the stretches.
  const float shift = partials[0];
  for_items([&](float count, float mean, float) { sum += count * (mean - shift); });
  const float total = static_cast<float>(width) * static_cast<float>(a.op.hw);
  const float mean = shift + block_sum(sum, shared) / total;
  for_items([&](float count, float m, float s) { squares += s + count * (m - mean) * (m - mean); });
  squares = block_sum(squares, shared);
  if (threadIdx.x > 0) return;
  float* out = a.statistics + (blockIdx.y * static_cast<int64_t>(a.op.groups) + blockIdx.x) * 2;
  out[0] = mean;
  out[1] = rsqrtf(squares / total + a.op.eps);
}

extern "C" __global__ void __launch_bounds__(group_norm_threads) group_norm_apply_1(GroupNormLaunch a) {
  apply<1>(a);
}
extern "C" __global__ void __launch_bounds__(group_norm_threads) group_norm_apply_8(GroupNormLaunch a) {
  apply<8>(a);
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
