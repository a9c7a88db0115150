// Warps that meet by mbarriers and named barriers with one mistake each, and their twins without it: what the
// interpreter must and must not report.
#include "mbarrier.cuh"

namespace tintype::cuda {

struct Args {
  const float* x;  // 128 numbers
  float* y;        // those of each 32 backwards
};

enum class Mistake {
  none,
  elects,       // one lane arrives for its warp, and another waits for it
  by_state,     // waits for the state that arriving gave
  looks_first,  // does not wait where it need not
  inits_again,  // what it has invalidated
  no_init,
  no_barrier,
  misaligned,
  inits_twice,
  no_wait_for_full,
  no_wait_for_empty,
  early_full,
  early_empty,
  no_full,
  no_empty,
  too_many,
  relaxed_full,
  elects_arriving_apart,
  elects_waiting_apart,
  wrong_parity,
  reads_mbarrier,
  writes_mbarrier,
  invalidates_in_use,
};

extern __shared__ __align__(1024) unsigned char shared[];
constexpr int stages = 2, rounds = 4;
constexpr uint32_t mbarrier_bytes = 8;

__device__ float* stage_of(int s) {
  return reinterpret_cast<float*>(shared + 64) + s * 32;
}

template <Mistake Made>
__device__ void init(uint32_t first) {
  constexpr bool elects = Made == Mistake::elects || Made == Mistake::elects_arriving_apart ||
                          Made == Mistake::elects_waiting_apart;
  for (int b = 0; b < 2 * stages; b++) init_mbarrier(first + b * mbarrier_bytes, elects ? 1 : 32);
  if constexpr (Made == Mistake::inits_twice) init_mbarrier(first, 32);
  if constexpr (Made == Mistake::inits_again) {
    invalidate_mbarrier(first);
    *reinterpret_cast<volatile uint64_t*>(shared) = 0;
    init_mbarrier(first, 32);
  }
}

template <Mistake Made>
__device__ void wait_in_ring(uint32_t mbarrier, uint32_t parity) {
  if constexpr (Made == Mistake::elects || Made == Mistake::elects_waiting_apart) {
    if (threadIdx.x % 32 == 0) wait(mbarrier, parity);
    if constexpr (Made == Mistake::elects) __syncwarp();
  } else if constexpr (Made == Mistake::looks_first) {
    if (!is_over(mbarrier, parity)) wait(mbarrier, parity);
  } else {
    wait(mbarrier, parity);
  }
}

template <Mistake Made>
__device__ void arrive_in_ring(uint32_t mbarrier) {
  if constexpr (Made == Mistake::elects || Made == Mistake::elects_arriving_apart ||
                Made == Mistake::elects_waiting_apart) {
    if constexpr (Made != Mistake::elects_arriving_apart) __syncwarp();
    if (Made == Mistake::elects ? is_elected() : threadIdx.x % 32 == 31) arrive(mbarrier);
  } else if constexpr (Made == Mistake::relaxed_full) {
    arrive_relaxed(mbarrier);
  } else {
    arrive(mbarrier);
  }
}

// Warp 0 fills stages that warp 1 reads.
template <Mistake Made>
__device__ void ring(Args a) {
  const uint32_t full = address_of(shared) + (Made == Mistake::misaligned ? 4 : 0);
  const uint32_t empty = full + stages * mbarrier_bytes;
  const int lane = threadIdx.x % 32;
  if (threadIdx.x == 0 && Made != Mistake::no_init) init<Made>(full);
  if constexpr (Made != Mistake::no_barrier) __syncthreads();
  for (int r = 0; r < rounds; r++) {
    const int s = r % stages;
    const uint32_t parity = r / stages & 1, offset = s * mbarrier_bytes;
    if (threadIdx.x < 32) {
      if constexpr (Made != Mistake::no_wait_for_empty) {
        wait_in_ring<Made>(empty + offset, parity ^ (Made == Mistake::wrong_parity ? 0 : 1));
      }
      if constexpr (Made == Mistake::early_full) arrive(full + offset);
      stage_of(s)[lane] = a.x[r * 32 + lane];
      if constexpr (Made == Mistake::too_many) {
        if (lane == 0) arrive(full + offset, 33);
      } else if constexpr (Made != Mistake::early_full && Made != Mistake::no_full) {
        arrive_in_ring<Made>(full + offset);
      }
    } else {
      if constexpr (Made == Mistake::reads_mbarrier) {
        if (lane == 0) a.y[0] = *reinterpret_cast<volatile float*>(shared);
      }
      if constexpr (Made == Mistake::writes_mbarrier) {
        if (lane == 0) *reinterpret_cast<volatile float*>(shared) = 0;
      }
      if constexpr (Made != Mistake::no_wait_for_full) wait_in_ring<Made>(full + offset, parity);
      if constexpr (Made == Mistake::early_empty) arrive(empty + offset);
      a.y[r * 32 + lane] = *(volatile float*)(stage_of(s) + 31 - lane);
      if constexpr (Made == Mistake::invalidates_in_use) {
        if (lane == 0) arrive(empty + offset, 1);
        if (lane == 0) invalidate_mbarrier(empty + offset);
      }
      if constexpr (Made != Mistake::early_empty && Made != Mistake::no_empty)
        arrive_in_ring<Made == Mistake::relaxed_full ? Mistake::none : Made>(empty + offset);
    }
  }
}

#define RING(name, mistake) \
  extern "C" __global__ void name(Args a) { ring<Mistake::mistake>(a); }
RING(ring_of_stages, none)
RING(ring_elects, elects)
RING(ring_looks_first, looks_first)
RING(ring_inits_again, inits_again)
RING(ring_without_init, no_init)
RING(ring_without_barrier, no_barrier)
RING(ring_misaligned, misaligned)
RING(ring_inits_twice, inits_twice)
RING(ring_without_wait_for_full, no_wait_for_full)
RING(ring_without_wait_for_empty, no_wait_for_empty)
RING(ring_arrives_before_writing, early_full)
RING(ring_arrives_before_reading, early_empty)
RING(ring_never_full, no_full)
RING(ring_never_empty, no_empty)
RING(ring_of_too_many, too_many)
RING(ring_relaxed, relaxed_full)
RING(ring_elects_arriving_apart, elects_arriving_apart)
RING(ring_elects_waiting_apart, elects_waiting_apart)
RING(ring_of_wrong_parity, wrong_parity)
RING(ring_reads_mbarrier, reads_mbarrier)
RING(ring_writes_mbarrier, writes_mbarrier)
RING(ring_invalidates_in_use, invalidates_in_use)
#undef RING

// All threads of two warps arrive and wait for their own arrival.
extern "C" __global__ void meet_by_state(Args a) {
  const uint32_t mbarrier = address_of(shared);
  if (threadIdx.x == 0) init_mbarrier(mbarrier, blockDim.x);
  __syncthreads();
  for (int r = 0; r < 2; r++) {
    stage_of(0)[threadIdx.x] = a.x[r * 64 + threadIdx.x];
    wait_for_state(mbarrier, arrive_for_state(mbarrier));
    a.y[r * 64 + threadIdx.x] = *(volatile float*)(stage_of(0) + (threadIdx.x ^ 31));
    wait_for_state(mbarrier, arrive_for_state(mbarrier));
  }
}

enum class Naming { none, one_leaves, arrives, no_meeting, other_count, odd_count, no_such_barrier, too_few };

// Two warps turn what they have around, each on its own or the first for both.
template <Naming Made>
__device__ void by_name(Args a) {
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  float* place = stage_of(warp);
  for (int r = 0; r < 2; r++) {
    const int first = r * 64 + warp * 32;
    if constexpr (Made == Naming::arrives || Made == Naming::no_meeting) {
      if (warp == 0) {
        if (r > 0) meet_by_name(2, 64);
        stage_of(0)[lane] = a.x[r * 64 + lane];
        stage_of(1)[lane] = a.x[r * 64 + 32 + lane];
        arrive_by_name(1, 64);
      } else {
        if constexpr (Made != Naming::no_meeting) meet_by_name(1, 64);
        for (int half = 0; half < 2; half++)
          a.y[r * 64 + half * 32 + lane] = *(volatile float*)(stage_of(half) + 31 - lane);
        if (r == 0) arrive_by_name(2, 64);
        if constexpr (Made == Naming::no_meeting) meet_by_name(1, 64);
      }
    } else {
      if (Made == Naming::one_leaves && warp == 1) {
        for (int i = r; i < 2; i++) a.y[i * 64 + 32 + lane] = a.x[i * 64 + 63 - lane];
        return;
      }
      place[lane] = a.x[first + lane];
      uint32_t count = 32;
      if constexpr (Made == Naming::other_count) count = warp == 0 ? 64 : 32;
      if constexpr (Made == Naming::odd_count) count = 33;
      if constexpr (Made == Naming::too_few) count = 64;
      const bool together = Made == Naming::other_count;
      meet_by_name(Made == Naming::no_such_barrier ? 16 : together ? 1 : 1 + warp, count);
      a.y[first + lane] = *(volatile float*)(place + 31 - lane);
      meet_by_name(together ? 1 : 1 + warp, count);
    }
  }
}

extern "C" __global__ void meet_apart(Args a) {
  by_name<Naming::none>(a);
}
extern "C" __global__ void meet_while_one_leaves(Args a) {
  by_name<Naming::one_leaves>(a);
}
extern "C" __global__ void arrive_and_meet(Args a) {
  by_name<Naming::arrives>(a);
}
extern "C" __global__ void arrive_and_meet_late(Args a) {
  by_name<Naming::no_meeting>(a);
}
extern "C" __global__ void meet_with_other_count(Args a) {
  by_name<Naming::other_count>(a);
}
extern "C" __global__ void meet_with_odd_count(Args a) {
  by_name<Naming::odd_count>(a);
}
extern "C" __global__ void meet_at_no_barrier(Args a) {
  by_name<Naming::no_such_barrier>(a);
}
extern "C" __global__ void meet_with_too_few(Args a) {
  by_name<Naming::too_few>(a);
}

}  // namespace tintype::cuda
