// Kernels with one mistake each, and their twins without it: what the interpreter must and must not report.
#include <cstdint>

struct Args {
  float* x;  // one float for each thread
  float* y;  // likewise
};

extern __shared__ float shared[];

extern "C" __global__ void reverse_with_barrier(Args a) {
  shared[threadIdx.x] = a.x[threadIdx.x];
  __syncthreads();
  a.y[threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

extern "C" __global__ void reverse_without_barrier(Args a) {
  shared[threadIdx.x] = a.x[threadIdx.x];
  a.y[threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

extern "C" __global__ void overwrite_without_barrier(Args a) {
  shared[threadIdx.x] = a.x[threadIdx.x];
  __syncthreads();
  const float other = shared[blockDim.x - 1 - threadIdx.x];
  shared[threadIdx.x] = other;
  a.y[threadIdx.x] = other;
}

extern "C" __global__ void add_up_with_barriers(Args a) {
  if (threadIdx.x == 0) shared[0] = 0;
  __syncthreads();
  atomicAdd(&shared[0], a.x[threadIdx.x]);
  __syncthreads();
  a.y[threadIdx.x] = shared[0];
}

extern "C" __global__ void add_up_before_begin(Args a) {
  if (threadIdx.x == 0) shared[0] = 0;
  atomicAdd(&shared[0], a.x[threadIdx.x]);
  __syncthreads();
  a.y[threadIdx.x] = shared[0];
}

extern "C" __global__ void add_up_without_end(Args a) {
  if (threadIdx.x == 0) shared[0] = 0;
  __syncthreads();
  atomicAdd(&shared[0], a.x[threadIdx.x]);
  a.y[threadIdx.x] = shared[0];
}

// The last lane to add is among those that read.
extern "C" __global__ void add_up_in_warp(Args a) {
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = 0;
  __syncwarp();
  atomicAdd(&shared[threadIdx.x / 32], a.x[threadIdx.x]);
  a.y[threadIdx.x] = threadIdx.x % 32 == 31 ? shared[threadIdx.x / 32] : 0;
}

extern "C" __global__ void run_into_trap(Args a) {
  if (a.x[threadIdx.x] > 99) __trap();
  a.y[threadIdx.x] = 0;
}

extern "C" __global__ void write_same_place(Args a) {
  shared[threadIdx.x / 64] = a.x[threadIdx.x];
  a.y[threadIdx.x] = 0;
}

// Within a warp: lanes need not go in step.
extern "C" __global__ void swap_in_warp(Args a) {
  shared[threadIdx.x] = a.x[threadIdx.x];
  __syncwarp();
  a.y[threadIdx.x] = shared[threadIdx.x ^ 1];
}

extern "C" __global__ void swap_in_warp_without_sync(Args a) {
  shared[threadIdx.x] = a.x[threadIdx.x];
  a.y[threadIdx.x] = shared[threadIdx.x ^ 1];
}

extern "C" __global__ void read_behind_end(Args a) {
  a.y[threadIdx.x] = a.x[threadIdx.x + 1];
}

extern "C" __global__ void write_before_begin(Args a) {
  *(a.y + threadIdx.x - 1) = a.x[threadIdx.x];
}

extern "C" __global__ void read_shared_behind_end(Args a) {
  shared[threadIdx.x] = a.x[threadIdx.x];
  __syncthreads();
  a.y[threadIdx.x] = shared[threadIdx.x + 1];
}

extern "C" __global__ void load_misaligned(Args a) {
  const float2 pair = *reinterpret_cast<const float2*>(a.x + 1);
  a.y[threadIdx.x] = pair.x + pair.y;
}

extern "C" __global__ void barrier_for_some_lanes(Args a) {
  if (threadIdx.x % 32 < 16) __syncthreads();
  a.y[threadIdx.x] = a.x[threadIdx.x];
}

extern "C" __global__ void barrier_for_some_warps(Args a) {
  if (threadIdx.x < 64) __syncthreads();
  a.y[threadIdx.x] = a.x[threadIdx.x];
}

extern "C" __global__ void shuffle_with_absent_lanes(Args a) {
  float value = a.x[threadIdx.x];
  if (threadIdx.x % 32 < 16) value = __shfl_xor_sync(0xffffffff, value, 1);
  a.y[threadIdx.x] = value;
}

extern "C" __global__ void shuffle_all(Args a) {
  a.y[threadIdx.x] = __shfl_xor_sync(0xffffffff, a.x[threadIdx.x], 1);
}

__device__ void copy(const float* from) {
  const uint32_t to = static_cast<uint32_t>(__cvta_generic_to_shared(shared + threadIdx.x * 4));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
  asm volatile("cp.async.commit_group;" ::: "memory");
}

__device__ void wait_for_copies() {
  asm volatile("cp.async.wait_group 0;" ::: "memory");
}

// The first 16 threads copy 64 floats.
extern "C" __global__ void copy_and_wait(Args a) {
  if (threadIdx.x < 16) copy(a.x + threadIdx.x * 4);
  wait_for_copies();
  __syncthreads();
  a.y[threadIdx.x] = shared[threadIdx.x % 64];
}

extern "C" __global__ void copy_without_wait(Args a) {
  if (threadIdx.x < 16) copy(a.x + threadIdx.x * 4);
  __syncthreads();
  a.y[threadIdx.x] = shared[threadIdx.x % 64];
  wait_for_copies();
}

// Each thread sees its own copies after the wait, those of others only after a barrier.
extern "C" __global__ void copy_without_barrier(Args a) {
  if (threadIdx.x < 16) copy(a.x + threadIdx.x * 4);
  wait_for_copies();
  a.y[threadIdx.x] = shared[threadIdx.x % 64];
}

extern "C" __global__ void overwrite_copy(Args a) {
  if (threadIdx.x < 16) {
    copy(a.x + threadIdx.x * 4);
    shared[threadIdx.x * 4] = 1;
  }
  wait_for_copies();
  a.y[threadIdx.x] = 0;
}

extern "C" __global__ void leave_copy_behind(Args a) {
  if (threadIdx.x < 16) copy(a.x + threadIdx.x * 4);
  a.y[threadIdx.x] = a.x[threadIdx.x];
}

extern "C" __global__ void copy_misaligned(Args a) {
  if (threadIdx.x < 15) copy(a.x + threadIdx.x * 4 + 1);
  wait_for_copies();
  a.y[threadIdx.x] = 0;
}

// Half of the lanes point at the rows of two matrices, the others somewhere.
__device__ void load_two_matrices(Args a, unsigned of_others) {
  shared[threadIdx.x] = a.x[threadIdx.x];
  __syncthreads();
  const unsigned lane = threadIdx.x % 32, row = lane < 16 ? lane * 16 : of_others;
  unsigned r[2];
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(static_cast<unsigned>(__cvta_generic_to_shared(shared)) + row));
  a.y[threadIdx.x] = __uint_as_float(r[0]);
}

extern "C" __global__ void load_matrices(Args a) {
  load_two_matrices(a, 0);
}

extern "C" __global__ void load_matrices_with_lanes_outside(Args a) {
  load_two_matrices(a, blockDim.x * 4);
}

// What was never written is NaN.
extern "C" __global__ void read_uninitialized(Args a) {
  a.y[threadIdx.x] = shared[threadIdx.x];
}

// Four blocks: each adds 1000 to its part of x, and the last one writes all of x backwards to y.
enum class Mistake { none, no_barrier, no_release, no_acquire, no_count, no_reset };

__device__ unsigned arrived;

template <Mistake Made>
__device__ void hand_over(Args a) {
  const unsigned first = blockIdx.x * blockDim.x, total = gridDim.x * blockDim.x;
  a.x[first + threadIdx.x] += 1000;
  if constexpr (Made != Mistake::no_barrier) __syncthreads();
  if (threadIdx.x == 0) {
    unsigned last = gridDim.x - 1, before = last;
    if constexpr (Made != Mistake::no_release) __threadfence();
    if constexpr (Made == Mistake::no_reset) before = atomicAdd(&arrived, 1);
    if constexpr (Made != Mistake::no_reset && Made != Mistake::no_count) before = atomicInc(&arrived, last);
    if constexpr (Made != Mistake::no_acquire) __threadfence();
    shared[0] = before == last;
  }
  __syncthreads();
  if (shared[0] == 0) return;
  for (unsigned i = threadIdx.x; i < total; i += blockDim.x) a.y[i] = __ldcg(a.x + total - 1 - i);
}

extern "C" __global__ void hand_over_to_last(Args a) {
  hand_over<Mistake::none>(a);
}
extern "C" __global__ void hand_over_without_barrier(Args a) {
  hand_over<Mistake::no_barrier>(a);
}
extern "C" __global__ void hand_over_without_release(Args a) {
  hand_over<Mistake::no_release>(a);
}
extern "C" __global__ void hand_over_without_acquire(Args a) {
  hand_over<Mistake::no_acquire>(a);
}
extern "C" __global__ void hand_over_without_count(Args a) {
  hand_over<Mistake::no_count>(a);
}
extern "C" __global__ void hand_over_without_reset(Args a) {
  hand_over<Mistake::no_reset>(a);
}
