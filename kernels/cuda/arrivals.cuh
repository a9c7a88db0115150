// Blocks that finish what several of them began: each stores its part and says that it has arrived, and the
// last one goes on with the parts of all. Nobody waits, so that no order of blocks can block a launch, and
// sums are added in the order of the parts, whoever adds them.
#pragma once
#include "chunk.cuh"

namespace tintype::cuda {

// Whether this block is the last of `expected` that come to `counter`, which begins at 0 and is 0 again after
// the last (CUDA C++ Programming Guide, "Memory Fence Functions"). What all blocks stored before is visible
// to the last one from here on, to loads that go to the L2 cache. For all threads of a block, which has a
// word of shared memory for it that nothing else lies in.
__device__ inline bool arrives_last(uint32_t* counter, uint32_t expected, uint32_t* word) {
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    *word = atomicInc(counter, expected - 1) == expected - 1 ? 1 : 0;
    __threadfence();
  }
  __syncthreads();
  const bool is_last = *word != 0;
  __syncthreads();  // the word may be used again
  return is_last;
}

// What other blocks of the launch stored: the L1 cache may hold something older.
__device__ inline uint4 load_stored(const void* p) {
  return __ldcg(static_cast<const uint4*>(p));
}

__device__ inline void load_stored_chunk(const float* p, int count, bool whole, Chunk& v) {
  if (whole) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const uint4 raw = load_stored(p + half * 4);
      v[half * 4] = __uint_as_float(raw.x);
      v[half * 4 + 1] = __uint_as_float(raw.y);
      v[half * 4 + 2] = __uint_as_float(raw.z);
      v[half * 4 + 3] = __uint_as_float(raw.w);
    }
  } else {
#pragma unroll
    for (int i = 0; i < chunk; i++) v[i] = i < count ? __ldcg(p + i) : 0.f;
  }
}

}  // namespace tintype::cuda
