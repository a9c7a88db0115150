// Products of a warpgroup of what another one brings, by bulk copies or by its own, with one mistake each,
// and their twins without it: what the interpreter must and must not report.
#include "../../kernels/cuda/async_copy.cuh"
#include "../../kernels/cuda/tensor_core.cuh"
#include "../../kernels/cuda/warpgroup.cuh"
#include "mbarrier.cuh"

namespace tintype::cuda {

struct Args {
  const uint4* x;  // A, then B: 64 rows of 64 halves each, swizzled
  float* y;        // (64, 64), as many times A B^T as there are rounds
};

enum class Brings { bulk, two_bulks, copies, stores };

enum class Mistake {
  none,
  keeps_one,      // group of products in flight, while the stage before is given back
  expects_first,  // and arrives behind the copy
  leaves_early,   // the producer, as soon as all is on its way
  zeros_first,    // stores where the bulk copy comes later
  all_wait,
  no_expect,
  expects_less,
  expects_more,
  no_wait_for_full,
  no_wait_for_empty,
  early_empty,
  early_empty_of_kept,
  gives_back_kept,
  odd_size,
  source_behind_end,
  target_behind_end,
  no_init_fence,
  one_too_many,
  no_publishing,
  late_publishing,
  no_copy_wait,
  zeros_without_publishing,
  registers_of_some,
  writes_in_flight,
};

using Sums = float[8][4];

extern __shared__ __align__(1024) unsigned char shared[];
constexpr int matrix_bytes = 64 * 128, stage_bytes = 2 * matrix_bytes, stages = 2, rounds = 5;
constexpr int group = 128, chunks = stage_bytes / 16;

// Where the mbarriers are: those of full stages, then those of empty ones.
__device__ uint32_t full_of(int stage) {
  return address_of(shared) + stages * stage_bytes + stage * 8;
}
__device__ uint32_t empty_of(int stage) {
  return full_of(stages + stage);
}

__device__ void pin(Sums& sums) {
#pragma unroll
  for (int n = 0; n < 8; n++) {
#pragma unroll
    for (int r = 0; r < 4; r++) asm volatile("" : "+f"(sums[n][r])::"memory");
  }
}

__device__ void store(Args a, const Sums& sums) {
  const int lane = threadIdx.x % 32, row = threadIdx.x % group / 32 * 16 + lane / 4;
#pragma unroll
  for (int n = 0; n < 8; n++) {
#pragma unroll
    for (int r = 0; r < 4; r++) a.y[(row + r / 2 * 8) * 64 + n * 8 + lane % 4 * 2 + r % 2] = sums[n][r];
  }
}

template <Mistake Made>
__device__ void bring_bulk(Args a, int stage, bool in_two) {
  const uint32_t place = address_of(shared) + stage * stage_bytes, full = full_of(stage);
  uint32_t bytes = stage_bytes, expected = stage_bytes;
  if constexpr (Made == Mistake::no_expect) expected = 0;
  if constexpr (Made == Mistake::expects_less) expected -= 16;
  if constexpr (Made == Mistake::expects_more) expected += 16;
  if constexpr (Made == Mistake::odd_size) bytes -= 8;
  const uint4* from = a.x + (Made == Mistake::source_behind_end ? 1 : 0);
  const uint32_t to = place + (Made == Mistake::target_behind_end ? (stages - stage) * stage_bytes : 0);
  if constexpr (Made == Mistake::expects_first) {
    expect(full, expected);
    copy_bulk(to, from, bytes, full);
    arrive(full);
    return;
  }
  if constexpr (Made != Mistake::no_expect) arrive_and_expect(full, expected);
  if (in_two) {
    copy_bulk(to + matrix_bytes, from + chunks / 2, bytes / 2, full);
    copy_bulk(to, from, bytes / 2, full);
  } else {
    copy_bulk(to, from, bytes, full);
  }
  if constexpr (Made == Mistake::writes_in_flight) *reinterpret_cast<volatile float*>(shared) = 0;
  if constexpr (Made == Mistake::no_expect) arrive(full);
}

template <Mistake Made, Brings How>
__device__ void bring(Args a, int stage) {
  const int thread = threadIdx.x % group;
  if constexpr (How == Brings::bulk || How == Brings::two_bulks) {
    if (thread == 0) bring_bulk<Made>(a, stage, How == Brings::two_bulks);
    return;
  }
  unsigned char* place = shared + stage * stage_bytes;
  for (int i = thread; i < chunks; i += group) {
    if constexpr (How == Brings::copies) {
      copy_async(address_of(place + i * 16), a.x + i, true);
    } else {
      *reinterpret_cast<uint4*>(place + i * 16) = a.x[i];
    }
  }
  commit_copies();
  if constexpr (Made != Mistake::no_copy_wait) wait_for_copies<0>();
  if constexpr (Made != Mistake::no_publishing && Made != Mistake::late_publishing) fence_async_proxy();
  arrive(full_of(stage));
  if constexpr (Made == Mistake::late_publishing) fence_async_proxy();
}

template <Mistake Made, Brings How>
__device__ void produce(Args a) {
  if (Made != Mistake::registers_of_some || threadIdx.x % group < 96)
    asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
  constexpr bool by_bulk = How == Brings::bulk || How == Brings::two_bulks;
  // Nobody waits for the others: a stage may go on by two phases before they look, and they would not see
  // that.
  const int those_who_wait = Made == Mistake::leaves_early ? 1 : 32;
  if (by_bulk && Made != Mistake::all_wait && static_cast<int>(threadIdx.x) % group >= those_who_wait) return;
#pragma unroll 1
  for (int r = 0; r < rounds + (Made == Mistake::one_too_many ? 1 : 0); r++) {
    if constexpr (Made != Mistake::no_wait_for_empty) wait(empty_of(r % stages), (r / stages & 1) ^ 1);
    bring<Made, How>(a, r % stages);
  }
  wait_for_copies<0>();
}

__device__ void multiply_stage(Sums& sums, int stage) {
  const uint32_t place = address_of(shared) + stage * stage_bytes;
  pin(sums);
  begin_products();
#pragma unroll
  for (int k = 0; k < 4; k++) {
    warpgroup_multiply_add(sums, matrix_descriptor(place + k * 32),
                           matrix_descriptor(place + matrix_bytes + k * 32));
  }
  commit_products();
}

template <Mistake Made>
__device__ void consume(Args a) {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
  constexpr bool keeps_one = Made == Mistake::keeps_one || Made == Mistake::gives_back_kept;
  Sums sums = {};
#pragma unroll 1
  for (int r = 0; r < rounds; r++) {
    if constexpr (Made != Mistake::no_wait_for_full) wait(full_of(r % stages), r / stages & 1);
    multiply_stage(sums, r % stages);
    if constexpr (Made == Mistake::early_empty) arrive(empty_of(r % stages));
    if constexpr (keeps_one) {
      asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
      if constexpr (Made == Mistake::gives_back_kept) {
        arrive(empty_of(r % stages));
      } else if (r > 0) {
        arrive(empty_of((r - 1) % stages));
      }
    } else {
      wait_for_products<0>();
      if constexpr (Made != Mistake::early_empty) arrive(empty_of(r % stages));
    }
  }
  wait_for_products<0>();
  pin(sums);
  store(a, sums);
}

// The second warpgroup brings what the first multiplies.
template <Mistake Made, Brings How>
__device__ void pipeline(Args a) {
  constexpr bool by_bulk = How == Brings::bulk || How == Brings::two_bulks;
  if (threadIdx.x == 0) {
    for (int s = 0; s < stages; s++) {
      init_mbarrier(full_of(s), by_bulk ? 1 : group);
      init_mbarrier(empty_of(s), group);
    }
    if constexpr (Made != Mistake::no_init_fence) fence_mbarrier_inits();
  }
  if constexpr (Made == Mistake::zeros_first || Made == Mistake::zeros_without_publishing) {
    for (int i = threadIdx.x; i < stages * chunks; i += blockDim.x) {
      *reinterpret_cast<volatile float*>(shared + i * 16) = 0;
    }
    if constexpr (Made == Mistake::zeros_first) fence_async_proxy();
  }
  __syncthreads();
  if (threadIdx.x >= group) {
    produce<Made, How>(a);
  } else {
    consume<Made>(a);
  }
}

#define PIPELINE(name, mistake, how) \
  extern "C" __global__ void name(Args a) { pipeline<Mistake::mistake, Brings::how>(a); }
PIPELINE(multiply_bulk, none, bulk)
PIPELINE(multiply_two_bulks, none, two_bulks)
PIPELINE(multiply_copies, none, copies)
PIPELINE(multiply_stores, none, stores)
PIPELINE(multiply_bulk_keeping_one, keeps_one, bulk)
PIPELINE(multiply_copies_keeping_one, keeps_one, copies)
PIPELINE(multiply_bulk_expected_first, expects_first, bulk)
PIPELINE(multiply_bulk_of_one_thread, leaves_early, bulk)
PIPELINE(multiply_bulk_over_zeros, zeros_first, bulk)
PIPELINE(bulk_that_all_wait_for, all_wait, bulk)
PIPELINE(bulk_without_expecting, no_expect, bulk)
PIPELINE(bulk_of_more_than_expected, expects_less, bulk)
PIPELINE(bulk_of_less_than_expected, expects_more, bulk)
PIPELINE(bulk_without_wait_for_full, no_wait_for_full, bulk)
PIPELINE(bulk_without_wait_for_empty, no_wait_for_empty, bulk)
PIPELINE(bulk_given_back_early, early_empty, bulk)
PIPELINE(bulk_given_back_with_products, gives_back_kept, bulk)
PIPELINE(copies_given_back_early, early_empty, copies)
PIPELINE(stores_given_back_early, early_empty, stores)
PIPELINE(bulk_of_odd_size, odd_size, bulk)
PIPELINE(bulk_from_behind_end, source_behind_end, bulk)
PIPELINE(bulk_to_behind_end, target_behind_end, bulk)
PIPELINE(bulk_without_init_fence, no_init_fence, bulk)
PIPELINE(bulk_left_behind, one_too_many, bulk)
PIPELINE(copies_without_publishing, no_publishing, copies)
PIPELINE(stores_without_publishing, no_publishing, stores)
PIPELINE(copies_published_late, late_publishing, copies)
PIPELINE(stores_published_late, late_publishing, stores)
PIPELINE(copies_without_wait, no_copy_wait, copies)
PIPELINE(bulk_over_zeros_unpublished, zeros_without_publishing, bulk)
PIPELINE(bulk_with_registers_of_some, registers_of_some, bulk)
PIPELINE(bulk_overwritten, writes_in_flight, bulk)
#undef PIPELINE

// A copy that nobody multiplies: each lane reads what it has waited for.
template <bool Waits>
__device__ void read_bulk(Args a) {
  const uint32_t mbarrier = full_of(0);
  if (threadIdx.x == 0) {
    init_mbarrier(mbarrier, 1);
    fence_mbarrier_inits();
    arrive_and_expect(mbarrier, 1024);
    copy_bulk(address_of(shared), a.x, 1024, mbarrier);
  }
  __syncthreads();
  if (Waits || threadIdx.x < 32) wait(mbarrier, 0);
  if (threadIdx.x < 256) a.y[threadIdx.x] = reinterpret_cast<volatile float*>(shared)[threadIdx.x];
}

extern "C" __global__ void read_bulk_and_wait(Args a) {
  read_bulk<true>(a);
}
extern "C" __global__ void read_bulk_without_wait(Args a) {
  read_bulk<false>(a);
}

// As kernels do it: two blocks share B, of which each brings half to both; a warp brings, two warpgroups
// multiply and hand over what they have through shared memory, tile by tile.
enum class Shared { none, no_meeting_of_group, no_last_meeting, arrives_before_products };

namespace cluster {

constexpr int stages = 3, rounds = 5, tiles = 2, groups = 2, blocks = 2;
constexpr int sums_bytes = 64 * 64 * 4, half_bytes = matrix_bytes / blocks;

__device__ uint32_t full_of(int stage) {
  return address_of(shared) + stages * stage_bytes + groups * sums_bytes + stage * 8;
}
__device__ uint32_t empty_of(int stage) {
  return full_of(stages + stage);
}

__device__ void bring(Args a) {
  const uint32_t rank = rank_in_cluster();
  int stage = 0;
  uint32_t parity = 0;
#pragma unroll 1
  for (int r = 0; r < rounds * tiles; r++) {
    const uint32_t place = address_of(shared) + stage * stage_bytes;
    wait_in_cluster(empty_of(stage), parity ^ 1);
    arrive_and_expect(full_of(stage), stage_bytes);
    copy_bulk(place, a.x, matrix_bytes, full_of(stage));
    copy_bulk_to_all(place + matrix_bytes + rank * half_bytes, a.x + (matrix_bytes + rank * half_bytes) / 16,
                     half_bytes, full_of(stage), 3);
    if (++stage == stages) {
      stage = 0;
      parity ^= 1;
    }
  }
}

// One lane for each block.
__device__ void give_back(int stage) {
  const int lane = threadIdx.x % 32;
  if (lane < blocks) arrive_remote(address_in(lane, empty_of(stage)));
}

template <Shared Made>
__device__ void multiply(Args a) {
  const int warpgroup = threadIdx.x / group, thread = threadIdx.x % group;
  float* own = reinterpret_cast<float*>(shared + stages * stage_bytes + warpgroup * sums_bytes);
  int stage = 0;
  uint32_t parity = 0;
#pragma unroll 1
  for (int tile = 0; tile < tiles; tile++) {
    Sums sums = {};
    int last = 0;
#pragma unroll 1
    for (int r = 0; r < rounds; r++) {
      wait(full_of(stage), parity);
      multiply_stage(sums, stage);
      if constexpr (Made == Shared::arrives_before_products) {
        give_back(stage);
      }
      asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
      if (Made != Shared::arrives_before_products && r > 0) give_back(last);
      last = stage;
      if (++stage == stages) {
        stage = 0;
        parity ^= 1;
      }
    }
    wait_for_products<0>();
    if constexpr (Made != Shared::arrives_before_products) give_back(last);
    pin(sums);
    if (tile > 0) meet_by_name(1 + warpgroup, group);
    store({a.x, own}, sums);
    if constexpr (Made != Shared::no_meeting_of_group) meet_by_name(1 + warpgroup, group);
    float* y = a.y + ((rank_in_cluster() * tiles + tile) * groups + warpgroup) * 64 * 64;
    for (int i = thread; i < 64 * 64; i += group) y[i] = own[i];
  }
}

template <Shared Made>
__device__ void pipeline(Args a) {
  if (threadIdx.x == 0) {
    for (int s = 0; s < stages; s++) {
      init_mbarrier(full_of(s), 1);
      init_mbarrier(empty_of(s), blocks * groups * 4);
    }
    fence_mbarrier_inits();
  }
  arrive_at_cluster();
  wait_for_cluster();
  if (threadIdx.x < groups * group) {
    multiply<Made>(a);
  } else {
    if (threadIdx.x % 32 == 0) bring(a);
    __syncwarp();
  }
  if constexpr (Made == Shared::no_last_meeting) return;
  arrive_at_cluster();
  wait_for_cluster();
}

}  // namespace cluster

extern "C" __global__ void __cluster_dims__(2, 1, 1) multiply_in_cluster(Args a) {
  cluster::pipeline<Shared::none>(a);
}
extern "C" __global__ void __cluster_dims__(2, 1, 1) cluster_without_meeting_of_group(Args a) {
  cluster::pipeline<Shared::no_meeting_of_group>(a);
}
extern "C" __global__ void __cluster_dims__(2, 1, 1) cluster_without_last_meeting(Args a) {
  cluster::pipeline<Shared::no_last_meeting>(a);
}
extern "C" __global__ void __cluster_dims__(2, 1, 1) cluster_given_back_early(Args a) {
  cluster::pipeline<Shared::arrives_before_products>(a);
}

}  // namespace tintype::cuda
