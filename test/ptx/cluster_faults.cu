// Blocks of a cluster that share what they bring, with one mistake each, and their twins without it: what the
// interpreter must and must not report.
#include "mbarrier.cuh"

namespace tintype::cuda {

struct Args {
  const float* x;  // four rounds of 128 numbers
  float* y;        // of each block and each warp the sums of the rounds
};

enum class Mistake {
  none,
  relaxed_start,  // with the fence for mbarriers alone
  relaxed_start_without_fence,
  meets_by_cooperative_groups,
  no_meeting,
  block_barrier,  // where the cluster must meet
  no_last_meeting,
  leaves_after_arriving,
  waits_in_block,
  gives_back_in_block,
  no_wait_for_full,
  no_wait_for_empty,
  one_receiver,
  no_such_block,
  remote_behind_cluster,
  arrives_twice,
  waits_without_arriving,
  one_block_meets,
  no_remote_arrival,
};

extern __shared__ __align__(128) unsigned char shared[];
constexpr int stages = 2, rounds = 4, numbers = 128, blocks = 2, half_bytes = numbers * 4 / blocks;
constexpr int consumers = 2;  // warps of a block that read, besides the one that brings

__device__ float* stage_of(int s) {
  return reinterpret_cast<float*>(shared + s * numbers * 4);
}
__device__ uint32_t full_of(int stage) {
  return address_of(shared) + stages * numbers * 4 + stage * 8;
}
__device__ uint32_t empty_of(int stage) {
  return full_of(stages + stage);
}

template <Mistake Made>
__device__ void meet_at_start() {
  if constexpr (Made == Mistake::no_meeting) return;
  if constexpr (Made == Mistake::block_barrier) {
    __syncthreads();
  } else if constexpr (Made == Mistake::meets_by_cooperative_groups) {
    asm volatile("barrier.cluster.arrive;\nbarrier.cluster.wait;" ::: "memory");
  } else if constexpr (Made == Mistake::relaxed_start || Made == Mistake::relaxed_start_without_fence) {
    arrive_at_cluster_relaxed();
    wait_for_cluster();
  } else {
    if constexpr (Made != Mistake::waits_without_arriving) arrive_at_cluster();
    if constexpr (Made == Mistake::arrives_twice) arrive_at_cluster();
    wait_for_cluster();
  }
}

// Each block brings half of each round to both. A stage is empty when the readers of both have given it back.
template <Mistake Made>
__device__ void share(Args a) {
  const uint32_t rank = rank_in_cluster();
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  if (threadIdx.x == 0) {
    for (int s = 0; s < stages; s++) {
      init_mbarrier(full_of(s), 1);
      init_mbarrier(empty_of(s), blocks * consumers);
    }
    if constexpr (Made != Mistake::relaxed_start_without_fence) fence_mbarrier_inits();
  }
  if (Made == Mistake::one_block_meets && rank == 1) {
    __syncthreads();
    wait(full_of(0), 0);
  }
  meet_at_start<Made>();
  if (warp == consumers) {
    for (int r = 0; r < rounds && lane == 0; r++) {
      const int s = r % stages;
      const uint32_t parity = (r / stages & 1) ^ 1;
      if constexpr (Made == Mistake::waits_in_block) {
        wait(empty_of(s), parity);
      } else if constexpr (Made != Mistake::no_wait_for_empty) {
        wait_in_cluster(empty_of(s), parity);
      }
      arrive_and_expect(full_of(s), numbers * 4);
      uint16_t receivers = (1 << blocks) - 1;
      if constexpr (Made == Mistake::one_receiver) receivers = 1 << rank;
      if constexpr (Made == Mistake::no_such_block) receivers |= 1 << blocks;
      copy_bulk_to_all(address_of(stage_of(s)) + rank * half_bytes,
                       a.x + r * numbers + rank * numbers / blocks, half_bytes, full_of(s), receivers);
    }
    __syncwarp();
  } else {
    float sums[numbers / 32] = {};
    for (int r = 0; r < rounds; r++) {
      const int s = r % stages;
      if constexpr (Made != Mistake::no_wait_for_full) wait(full_of(s), r / stages & 1);
#pragma unroll
      for (int n = 0; n < numbers / 32; n++) sums[n] += *(volatile float*)(stage_of(s) + n * 32 + lane);
      __syncwarp();
      if (lane < blocks) {
        if constexpr (Made == Mistake::gives_back_in_block) {
          asm volatile("mbarrier.arrive.shared::cluster.b64 _, [%0];" ::"r"(address_in(lane, empty_of(s)))
                       : "memory");
        } else if (Made != Mistake::no_remote_arrival || lane == rank) {
          arrive_remote(address_in(Made == Mistake::remote_behind_cluster ? lane + 1 : lane, empty_of(s)));
        }
      }
    }
#pragma unroll
    for (int n = 0; n < numbers / 32; n++) {
      a.y[((rank * consumers + warp) * (numbers / 32) + n) * 32 + lane] = sums[n];
    }
  }
  if constexpr (Made == Mistake::no_last_meeting) return;
  arrive_at_cluster();
  if constexpr (Made != Mistake::leaves_after_arriving) wait_for_cluster();
}

#define SHARE(name, mistake) \
  extern "C" __global__ void __cluster_dims__(2, 1, 1) name(Args a) { share<Mistake::mistake>(a); }
SHARE(share_in_cluster, none)
SHARE(share_after_relaxed_start, relaxed_start)
SHARE(share_after_plain_meeting, meets_by_cooperative_groups)
SHARE(share_after_unfenced_start, relaxed_start_without_fence)
SHARE(share_without_meeting, no_meeting)
SHARE(share_after_meeting_in_block, block_barrier)
SHARE(share_and_leave, no_last_meeting)
SHARE(share_arrive_and_leave, leaves_after_arriving)
SHARE(share_waiting_in_block, waits_in_block)
SHARE(share_giving_back_in_block, gives_back_in_block)
SHARE(share_without_wait_for_full, no_wait_for_full)
SHARE(share_without_wait_for_empty, no_wait_for_empty)
SHARE(share_with_itself, one_receiver)
SHARE(share_with_no_block, no_such_block)
SHARE(share_behind_cluster, remote_behind_cluster)
SHARE(share_arriving_twice, arrives_twice)
SHARE(share_without_arriving, waits_without_arriving)
SHARE(share_of_one_block, one_block_meets)
SHARE(share_without_giving_back, no_remote_arrival)
#undef SHARE

// Where a block is, by all that says so.
extern "C" __global__ void __cluster_dims__(2, 1, 1) name_ranks(Args a) {
  const uint32_t rank = rank_in_cluster() * 10 + rank_by_coordinates();
  if (threadIdx.x == 0) a.y[blockIdx.x] = rank;
}

}  // namespace tintype::cuda
