// The number of some rank among many, eight bits at a time, from the highest on. Latency.
#pragma once
#include <cstdint>

namespace tintype::cuda {

struct RadixSelection {
  uint32_t histogram[256];
  uint32_t prefix;  // the bits that are known of the number sought
  uint32_t rank;    // of it among the numbers with that prefix, from the smallest on, counted from 0
  uint32_t equal;   // how many have that prefix
};

// Finds the number of that rank among key(i) for i in [0, count), four passes over all of them. For all
// threads of a block.
template <int Threads, class Key>
__device__ inline void radix_select(RadixSelection& s, int count, uint32_t rank, const Key& key) {
  if (threadIdx.x == 0) {
    s.prefix = 0;
    s.rank = rank;
  }
  for (int shift = 24; shift >= 0; shift -= 8) {
    for (int i = threadIdx.x; i < 256; i += Threads) s.histogram[i] = 0;
    __syncthreads();
    const uint32_t prefix = s.prefix, known = shift == 24 ? 0 : ~0u << (shift + 8);
    for (int i = threadIdx.x; i < count; i += Threads) {
      const uint32_t bits = key(i);
      if ((bits & known) == prefix) atomicAdd(&s.histogram[bits >> shift & 255], 1u);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      uint32_t digit = 0, left = s.rank;
      while (left >= s.histogram[digit]) left -= s.histogram[digit++];
      s.prefix = prefix | digit << shift;
      s.rank = left;
      s.equal = s.histogram[digit];
    }
    __syncthreads();
  }
}

}  // namespace tintype::cuda
