// Attention for the head sizes of the models, and one for all others.
#include "attention.cuh"
#include "attention_warpgroup.cuh"

namespace tintype::cuda {

namespace {

template <AttentionShape Shape>
__device__ void attention(const AttentionLaunch& a) {
  extern __shared__ __align__(128) unsigned char attention_shared[];
  WarpAttention<Shape>(a, attention_shared).run();
}

template <WarpgroupAttention Shape>
__device__ void attention(const AttentionLaunch& a) {
  extern __shared__ __align__(1024) unsigned char group_shared[];
  AttentionWarpgroups<Shape>(a, group_shared).run();
}

}  // namespace

// Each is one of attention_shapes, or where there are warpgroups of warpgroup_attention_shapes.
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
extern "C" __global__ void __launch_bounds__(WarpgroupAttention::threads, 2)
    attention_40_128(const __grid_constant__ AttentionLaunch a) {
  attention<WarpgroupAttention{40, 128}>(a);
}
extern "C" __global__ void __launch_bounds__(WarpgroupAttention::threads)
    attention_40_80(const __grid_constant__ AttentionLaunch a) {
  attention<WarpgroupAttention{40, 80}>(a);
}
extern "C" __global__ void __launch_bounds__(WarpgroupAttention::threads)
    attention_64_128(const __grid_constant__ AttentionLaunch a) {
  attention<WarpgroupAttention{64, 128}>(a);
}
extern "C" __global__ void __launch_bounds__(WarpgroupAttention::threads)
    attention_64_80(const __grid_constant__ AttentionLaunch a) {
  attention<WarpgroupAttention{64, 80}>(a);
}
extern "C" __global__ void __launch_bounds__(WarpgroupAttention::threads)
    attention_80_128(const __grid_constant__ AttentionLaunch a) {
  attention<WarpgroupAttention{80, 128}>(a);
}
extern "C" __global__ void __launch_bounds__(WarpgroupAttention::threads)
    attention_80_80(const __grid_constant__ AttentionLaunch a) {
  attention<WarpgroupAttention{80, 80}>(a);
}
#else
extern "C" __global__ void __launch_bounds__(attention_threads)
    attention_40_64(const __grid_constant__ AttentionLaunch a) {
  attention<AttentionShape{40, 64, 2}>(a);
}
extern "C" __global__ void __launch_bounds__(attention_threads)
    attention_40_80(const __grid_constant__ AttentionLaunch a) {
  attention<AttentionShape{40, 80, 2}>(a);
}
extern "C" __global__ void __launch_bounds__(attention_threads)
    attention_64_64(const __grid_constant__ AttentionLaunch a) {
  attention<AttentionShape{64, 64, 2}>(a);
}
extern "C" __global__ void __launch_bounds__(attention_threads)
    attention_64_80(const __grid_constant__ AttentionLaunch a) {
  attention<AttentionShape{64, 80, 2}>(a);
}
extern "C" __global__ void __launch_bounds__(attention_threads)
    attention_80_64(const __grid_constant__ AttentionLaunch a) {
  attention<AttentionShape{80, 64, 1}>(a);
}
extern "C" __global__ void __launch_bounds__(attention_threads)
    attention_80_80(const __grid_constant__ AttentionLaunch a) {
  attention<AttentionShape{80, 80, 1}>(a);
}
#endif
extern "C" __global__ void __launch_bounds__(attention_threads)
    attention_96_64(const __grid_constant__ AttentionLaunch a) {
  attention<AttentionShape{96, 64, 1}>(a);
}
extern "C" __global__ void __launch_bounds__(attention_threads)
    attention_128_64(const __grid_constant__ AttentionLaunch a) {
  attention<AttentionShape{128, 64, 1}>(a);
}
extern "C" __global__ void __launch_bounds__(attention_threads)
    attention_160_64(const __grid_constant__ AttentionLaunch a) {
  attention<AttentionShape{160, 64, 1}>(a);
}
extern "C" __global__ void __launch_bounds__(attention_threads)
    attention_160_80(const __grid_constant__ AttentionLaunch a) {
  attention<AttentionShape{160, 80, 1}>(a);
}

// A warp for each query, a lane for each of 32 keys, then for each 32nd channel. For small models: it reads
// keys and values again for every query.
extern "C" __global__ void __launch_bounds__(attention_threads)
    attention_any(const __grid_constant__ AttentionLaunch a) {
  const int lane = threadIdx.x % 32, c = static_cast<int>(a.op.c), head = c / a.op.heads;
  const int query = blockIdx.x * attention_warps + threadIdx.x / 32;
  const int lk = static_cast<int>(a.op.lk);
  if (query >= a.op.lq) return;
  const int64_t at = (blockIdx.z * a.op.lq + query) * c + blockIdx.y * head;
  const Element* q = elements(a.op.q) + at;
  const Element* k = elements(a.op.k) + blockIdx.z * a.op.lk * c + blockIdx.y * head;
  const Element* v = elements(a.op.v) + blockIdx.z * a.op.lk * c + blockIdx.y * head;
  const int seen = a.op.mask == Mask::causal ? min(lk, query + 1) : lk;
  float largest = -INFINITY, weights = 0, sums[attention_any_head / 32] = {};
  for (int first = 0; first < seen; first += 32) {
    const int key = first + lane;
    float score = -INFINITY;
    if (key < seen) {
      score = 0;
      for (int i = 0; i < head; i++) score += to_float(q[i]) * to_float(k[static_cast<int64_t>(key) * c + i]);
    }
    float now = fmaxf(largest, score);
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
      now = fmaxf(now, __shfl_xor_sync(0xffffffff, now, distance));
    const float shrink = exp2((largest - now) * a.scale_log2);
    const float weight = exp2((score - now) * a.scale_log2);
    largest = now;
    weights = weights * shrink + weight;
#pragma unroll
    for (float& sum : sums) sum *= shrink;
    for (int j = 0; j < min(32, seen - first); j++) {
      const float w = __shfl_sync(0xffffffff, weight, j);
      const Element* row = v + static_cast<int64_t>(first + j) * c;
#pragma unroll
      for (int i = 0; i < attention_any_head / 32; i++) {
        if (lane + i * 32 < head) sums[i] += w * to_float(row[lane + i * 32]);
      }
    }
  }
  const float factor = 1.f / warp_sum(weights);
  Element* y = elements(a.op.y) + at;
#pragma unroll
  for (int i = 0; i < attention_any_head / 32; i++) {
    if (lane + i * 32 < head) y[lane + i * 32] = to_element(sums[i] * factor);
  }
}

}  // namespace tintype::cuda
