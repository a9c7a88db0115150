// Blocks that finish what several of them began: each stores its part and says that it has arrived, and the
// last one goes on with the parts of all. Nobody waits, so that no order of blocks can block a launch, and
// sums are added in the order of the parts, whoever adds them.
#pragma once
#include "chunk.cuh"

namespace tintype::cuda {

// Whether this block is the last of `expected` that come to `counter`, which begins at 0 and is 0 again after
// the last (CUDA C++ Programming Guide, "Memory Fence Functions"). What all blocks stored before is visible
// to the last one from here on, to loads that go to the L2 cache. For all threads that `meet` is a barrier
// of, the first one among them. They have a word of shared memory for it that nothing else lies in.
template <class Barrier>
__device__ bool arrives_last(uint32_t* counter, uint32_t expected, uint32_t* word, Barrier meet) {
  meet();
  if (threadIdx.x == 0) {
    __threadfence();
    *word = atomicInc(counter, expected - 1) == expected - 1 ? 1 : 0;
    __threadfence();
  }
  meet();
  const bool is_last = *word != 0;
  meet();  // the word may be used again
  return is_last;
}

// Of all threads of a block.
__device__ inline bool arrives_last(uint32_t* counter, uint32_t expected, uint32_t* word) {
  return arrives_last(counter, expected, word, [] { __syncthreads(); });
}

// What other blocks of the launch stored: the L1 cache may hold something older.
__device__ inline uint4 load_stored(const void* p) {
  return __ldcg(static_cast<const uint4*>(p));
}

__device__ inline float4 load_stored_four(const float* p, int count, bool whole) {
  if (whole) return __ldcg(reinterpret_cast<const float4*>(p));
  return make_float4(__ldcg(p), count > 1 ? __ldcg(p + 1) : 0.f, count > 2 ? __ldcg(p + 2) : 0.f,
                     count > 3 ? __ldcg(p + 3) : 0.f);
}

__device__ inline void store_four(float* p, int count, bool whole, const float4& v) {
  if (whole) {
    *reinterpret_cast<float4*>(p) = v;
  } else {
    const float all[] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (i < count) p[i] = all[i];
    }
  }
}

}  // namespace tintype::cuda
