// Products of a warpgroup with one mistake each, and their twins without it: what the interpreter must and
// must not report.
#include "../../kernels/cuda/gemm_gather.cuh"
#include "../../kernels/cuda/tensor_core.cuh"
#include "../../kernels/cuda/warpgroup.cuh"

namespace tintype::cuda {

struct Args {
  const uint4* x;  // A, then B: 64 rows of 64 halves each
  float* y;        // (64, 64), A B^T
};

enum class Mistake {
  none,
  not_filled,
  no_publishing,
  publishing_behind_barrier,
  no_barrier,
  no_fence,
  no_fence_again,
  no_commit,
  no_wait,
  leaves_products_behind,
  writes_too_early,
  copies_too_early,
  writes_without_barrier,
  some_lanes,
  some_warps,
  waits_in_others,
  lanes_apart,
  warps_apart,
  behind_end,
  other_swizzle,
  middle_of_rows,
  half_outside_rows,
  other_stride,
  base_offset,
  unused_bits,
};

using Sums = float[8][4];

extern __shared__ __align__(1024) unsigned char shared[];
constexpr int matrix_bytes = 64 * 128, row_chunks = 8;

// A warp has 16 rows, a lane two columns of each eight in two of them.
__device__ void store(Args a, const Sums& sums) {
  const int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16 + lane / 4;
#pragma unroll
  for (int n = 0; n < 8; n++) {
#pragma unroll
    for (int r = 0; r < 4; r++) a.y[(row + r / 2 * 8) * 64 + n * 8 + lane % 4 * 2 + r % 2] = sums[n][r];
  }
}

__device__ void fill(Args a) {
  for (int i = threadIdx.x; i < 128 * row_chunks; i += blockDim.x) {
    *reinterpret_cast<uint4*>(shared + swizzle<row_chunks>(i / row_chunks, i % row_chunks)) = a.x[i];
  }
}

template <Mistake Made>
__device__ uint64_t descriptor_of_b(uint32_t place) {
  constexpr auto bit = [](int n) { return uint64_t{1} << n; };
  uint32_t address = place + matrix_bytes;
  if constexpr (Made == Mistake::lanes_apart) address += threadIdx.x % 2 * 1024;
  if constexpr (Made == Mistake::warps_apart) address -= threadIdx.x / 32 * 1024;
  if constexpr (Made == Mistake::behind_end) address += 1024;
  if constexpr (Made == Mistake::middle_of_rows) address += 128;
  if constexpr (Made == Mistake::half_outside_rows) address += 48;
  const uint64_t right = matrix_descriptor(address);
  if constexpr (Made == Mistake::other_swizzle) return right ^ bit(63) ^ bit(62);
  if constexpr (Made == Mistake::other_stride) return right | bit(32);
  if constexpr (Made == Mistake::base_offset) return right | bit(49);
  if constexpr (Made == Mistake::unused_bits) return right | bit(52);
  return right;
}

// The compiler may move what it does with registers over fences and waits, but not over this.
template <int N>
__device__ void pin(float (&sums)[N][4]) {
#pragma unroll
  for (int n = 0; n < N; n++) {
#pragma unroll
    for (int r = 0; r < 4; r++) asm volatile("" : "+f"(sums[n][r])::"memory");
  }
}

template <Mistake Made>
__device__ void multiply(Sums& sums, uint32_t place) {
  pin(sums);
  if constexpr (Made != Mistake::no_fence) begin_products();
#pragma unroll
  for (int k = 0; k < 4; k++) {
    const uint32_t a = place + k * 32;
    warpgroup_multiply_add(sums, matrix_descriptor(a), descriptor_of_b<Made>(a));
  }
  if constexpr (Made != Mistake::no_commit) commit_products();
}

template <Mistake Made>
__device__ void product(Args a) {
  const uint32_t place = shared_address(shared);
  Sums sums = {};
  if constexpr (Made != Mistake::not_filled) fill(a);
  if constexpr (Made != Mistake::no_publishing && Made != Mistake::publishing_behind_barrier)
    publish_to_tensor_cores();
  if constexpr (Made != Mistake::no_barrier) __syncthreads();
  if constexpr (Made == Mistake::publishing_behind_barrier) publish_to_tensor_cores();
  bool takes_part = true;
  if constexpr (Made == Mistake::some_lanes) takes_part = threadIdx.x % 32 < 16;
  if constexpr (Made == Mistake::some_warps || Made == Mistake::waits_in_others)
    takes_part = threadIdx.x < 96;
  if constexpr (Made == Mistake::some_warps) {
    if (!takes_part) return;
  }
  if (takes_part) multiply<Made>(sums, place);
  if constexpr (Made == Mistake::leaves_products_behind) return;
  if constexpr (Made == Mistake::no_wait) store(a, sums);
  if constexpr (Made == Mistake::writes_too_early) shared[threadIdx.x] = 0;
  if constexpr (Made == Mistake::copies_too_early)
    copy_async(place + threadIdx.x * 16, a.x + threadIdx.x, true);
  wait_for_products<0>();
  pin(sums);
  if constexpr (Made == Mistake::writes_without_barrier) shared[threadIdx.x * 16] = 0;
  if constexpr (Made == Mistake::no_fence_again) {
#pragma unroll
    for (int n = 0; n < 8; n++) sums[n][0] *= a.y[n];
    multiply<Mistake::no_fence>(sums, place);
    wait_for_products<0>();
    pin(sums);
  }
  store(a, sums);
}

extern "C" __global__ void multiply_and_wait(Args a) {
  product<Mistake::none>(a);
}
extern "C" __global__ void multiply_uninitialized(Args a) {
  product<Mistake::not_filled>(a);
}
extern "C" __global__ void multiply_without_publishing(Args a) {
  product<Mistake::no_publishing>(a);
}
extern "C" __global__ void multiply_with_late_publishing(Args a) {
  product<Mistake::publishing_behind_barrier>(a);
}
extern "C" __global__ void multiply_without_barrier(Args a) {
  product<Mistake::no_barrier>(a);
}
extern "C" __global__ void multiply_without_fence(Args a) {
  product<Mistake::no_fence>(a);
}
extern "C" __global__ void multiply_again_without_fence(Args a) {
  product<Mistake::no_fence_again>(a);
}
extern "C" __global__ void multiply_without_commit(Args a) {
  product<Mistake::no_commit>(a);
}
extern "C" __global__ void multiply_without_wait(Args a) {
  product<Mistake::no_wait>(a);
}
extern "C" __global__ void leave_products_behind(Args a) {
  product<Mistake::leaves_products_behind>(a);
}
extern "C" __global__ void overwrite_matrix(Args a) {
  product<Mistake::writes_too_early>(a);
}
extern "C" __global__ void copy_over_matrix(Args a) {
  product<Mistake::copies_too_early>(a);
}
extern "C" __global__ void overwrite_matrix_without_barrier(Args a) {
  product<Mistake::writes_without_barrier>(a);
}
extern "C" __global__ void multiply_in_some_lanes(Args a) {
  product<Mistake::some_lanes>(a);
}
extern "C" __global__ void multiply_in_some_warps(Args a) {
  product<Mistake::some_warps>(a);
}
extern "C" __global__ void wait_in_other_warps(Args a) {
  product<Mistake::waits_in_others>(a);
}
extern "C" __global__ void multiply_by_lanes_apart(Args a) {
  product<Mistake::lanes_apart>(a);
}
extern "C" __global__ void multiply_by_warps_apart(Args a) {
  product<Mistake::warps_apart>(a);
}
extern "C" __global__ void multiply_behind_end(Args a) {
  product<Mistake::behind_end>(a);
}
extern "C" __global__ void multiply_of_other_swizzle(Args a) {
  product<Mistake::other_swizzle>(a);
}
extern "C" __global__ void multiply_from_middle_of_rows(Args a) {
  product<Mistake::middle_of_rows>(a);
}
extern "C" __global__ void multiply_outside_rows(Args a) {
  product<Mistake::half_outside_rows>(a);
}
extern "C" __global__ void multiply_of_other_stride(Args a) {
  product<Mistake::other_stride>(a);
}
extern "C" __global__ void multiply_with_base_offset(Args a) {
  product<Mistake::base_offset>(a);
}
extern "C" __global__ void multiply_with_unused_bits(Args a) {
  product<Mistake::unused_bits>(a);
}

__device__ void wait_but_for_last() {
  asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
}

// A B^T, of which the second group of products is under way while the first is stored.
template <bool First>
__device__ void two_groups(Args a) {
  const uint32_t place = shared_address(shared);
  Sums first = {}, second = {};
  fill(a);
  publish_to_tensor_cores();
  __syncthreads();
  multiply<Mistake::none>(first, place);
  multiply<Mistake::none>(second, place);
  wait_but_for_last();
  pin(First ? first : second);
  store(a, First ? first : second);
  wait_for_products<0>();
  pin(second);
  store(a, second);
}

extern "C" __global__ void wait_for_first_group(Args a) {
  two_groups<true>(a);
}
extern "C" __global__ void wait_for_wrong_group(Args a) {
  two_groups<false>(a);
}

// Wider products into sums of others that are under way; B has 64 rows of 128 in its place, A the rest.
extern "C" __global__ void multiply_in_two_shapes(Args a) {
  const uint32_t place = shared_address(shared);
  float sums[16][4] = {};
  fill(a);
  publish_to_tensor_cores();
  __syncthreads();
  pin(sums);
  begin_products();
  warpgroup_multiply_add(reinterpret_cast<Sums&>(sums), matrix_descriptor(place), matrix_descriptor(place));
  warpgroup_multiply_add(sums, matrix_descriptor(place), matrix_descriptor(place));
  commit_products();
  wait_for_products<0>();
  store(a, reinterpret_cast<Sums&>(sums));
}

// A B^T instead of what the sums were.
extern "C" __global__ void multiply_over_sums(Args a) {
  const uint32_t place = shared_address(shared);
  Sums sums;
#pragma unroll
  for (int n = 0; n < 8; n++) sums[n][0] = sums[n][1] = sums[n][2] = sums[n][3] = NAN;
  fill(a);
  publish_to_tensor_cores();
  __syncthreads();
  pin(sums);
  begin_products();
  warpgroup_multiply(sums, matrix_descriptor(place), matrix_descriptor(place + matrix_bytes));
#pragma unroll
  for (int k = 1; k < 4; k++) {
    warpgroup_multiply_add(sums, matrix_descriptor(place + k * 32),
                           matrix_descriptor(place + matrix_bytes + k * 32));
  }
  commit_products();
  wait_for_products<0>();
  pin(sums);
  store(a, sums);
}

enum class RegisterMistake { none, written_behind_fence, written_in_flight, panels_apart, inside_rows };

// B, in registers, times a matrix of 72 columns: those of A and behind them the first eight of B. (64, 72)
template <RegisterMistake Made>
__device__ void product_of_registers(Args a) {
  constexpr int columns = 72;
  const uint32_t place = shared_address(shared);
  const int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16;
  float sums[columns / 8][4] = {};
  fill(a);
  publish_to_tensor_cores();
  __syncthreads();
  uint32_t rows[4][4];
#pragma unroll
  for (int k = 0; k < 4; k++) {
    load_matrices(rows[k], place + matrix_bytes + swizzle<row_chunks>(row + lane % 16, k * 2 + lane / 16));
  }
  pin(sums);
  begin_products();
  if constexpr (Made == RegisterMistake::written_behind_fence)
    asm volatile("mov.b32 %0, 0;" : "+r"(rows[2][1]));
#pragma unroll
  for (int k = 0; k < 4; k++) {
    const uint32_t at = place + k * 16 * 128 + (Made == RegisterMistake::inside_rows ? 16 : 0);
    const int panel = matrix_bytes + (Made == RegisterMistake::panels_apart ? 128 : 0);
    warpgroup_multiply_add(sums, rows[k], matrix_descriptor(at, panel));
  }
  commit_products();
  if constexpr (Made == RegisterMistake::written_in_flight) asm volatile("mov.b32 %0, 0;" : "+r"(rows[2][1]));
  wait_for_products<0>();
  pin(sums);
#pragma unroll
  for (int n = 0; n < columns / 8; n++) {
#pragma unroll
    for (int r = 0; r < 4; r++) {
      a.y[(row + lane / 4 + r / 2 * 8) * columns + n * 8 + lane % 4 * 2 + r % 2] = sums[n][r];
    }
  }
}

extern "C" __global__ void multiply_registers(Args a) {
  product_of_registers<RegisterMistake::none>(a);
}
extern "C" __global__ void multiply_registers_written_behind_fence(Args a) {
  product_of_registers<RegisterMistake::written_behind_fence>(a);
}
extern "C" __global__ void multiply_registers_written_in_flight(Args a) {
  product_of_registers<RegisterMistake::written_in_flight>(a);
}
extern "C" __global__ void multiply_panels_apart(Args a) {
  product_of_registers<RegisterMistake::panels_apart>(a);
}
extern "C" __global__ void multiply_from_inside_rows(Args a) {
  product_of_registers<RegisterMistake::inside_rows>(a);
}

// Forms of products that only tests have yet.
#define ROW(n) "+f"(d[n][0]), "+f"(d[n][1]), "+f"(d[n][2]), "+f"(d[n][3])

// d (64x64) += a (64x16) b (16x64)
__device__ void multiply_add_across(float (&d)[8][4], uint64_t a, uint64_t b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, "
      "%21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
      "%32, %33, 1, 1, 1, 0, 1;"
      : ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7)
      : "l"(a), "l"(b));
}

// d (64x64) += a (64x16, in registers) b (64x16)^T
__device__ void multiply_add_along(float (&d)[8][4], const uint32_t (&a)[4], uint64_t b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, "
      "%21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
      "{%32, %33, %34, %35}, %36, 1, 1, 1, 0;"
      : ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

// d (64x40) = a (64x16, in registers) b (16x40)
__device__ void multiply_across(float (&d)[5][4], const uint32_t (&a)[4], uint64_t b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n40k16.f32.f16.f16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19}, "
      "{%20, %21, %22, %23}, %24, 0, 1, 1, 1;"
      : ROW(0), ROW(1), ROW(2), ROW(3), ROW(4)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

// d (64x40) += a (64x16, in registers) b (16x40)
__device__ void multiply_add_across(float (&d)[5][4], const uint32_t (&a)[4], uint64_t b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n40k16.f32.f16.f16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19}, "
      "{%20, %21, %22, %23}, %24, 1, 1, 1, 1;"
      : ROW(0), ROW(1), ROW(2), ROW(3), ROW(4)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

// d (64x80) += a (64x16, in registers) b (16x80)
__device__ void multiply_add_across(float (&d)[10][4], const uint32_t (&a)[4], uint64_t b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n80k16.f32.f16.f16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, "
      "%21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39}, "
      "{%40, %41, %42, %43}, %44, 1, 1, 1, 1;"
      : ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7), ROW(8), ROW(9)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

#undef ROW

// The rows of a warp of B, in registers.
__device__ void load_rows(uint32_t (&rows)[4][4], uint32_t place) {
  const int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16;
#pragma unroll
  for (int k = 0; k < 4; k++) {
    load_matrices(rows[k], place + matrix_bytes + swizzle<row_chunks>(row + lane % 16, k * 2 + lane / 16));
  }
}

template <int N>
__device__ void store_rows(Args a, const float (&sums)[N][4]) {
  const int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16 + lane / 4;
#pragma unroll
  for (int n = 0; n < N; n++) {
#pragma unroll
    for (int r = 0; r < 4; r++) {
      a.y[(row + r / 2 * 8) * N * 8 + n * 8 + lane % 4 * 2 + r % 2] = sums[n][r];
    }
  }
}

// Rows of the depth that lie k steps of 16 behind the first.
__device__ uint64_t rows_across(uint32_t place, int k, int panel = matrix_bytes) {
  return matrix_descriptor(place + k * 16 * 128, panel);
}

// B A, both in shared memory.
extern "C" __global__ void multiply_across(Args a) {
  const uint32_t place = shared_address(shared);
  Sums sums = {};
  fill(a);
  publish_to_tensor_cores();
  __syncthreads();
  pin(sums);
  begin_products();
#pragma unroll
  for (int k = 0; k < 4; k++) {
    multiply_add_across(sums, matrix_descriptor(place + matrix_bytes + k * 32), rows_across(place, k));
  }
  commit_products();
  wait_for_products<0>();
  pin(sums);
  store_rows(a, sums);
}

// B A^T, B in registers.
extern "C" __global__ void multiply_registers_along(Args a) {
  const uint32_t place = shared_address(shared);
  Sums sums = {};
  uint32_t rows[4][4];
  fill(a);
  publish_to_tensor_cores();
  __syncthreads();
  load_rows(rows, place);
  pin(sums);
  begin_products();
#pragma unroll
  for (int k = 0; k < 4; k++) multiply_add_along(sums, rows[k], matrix_descriptor(place + k * 32));
  commit_products();
  wait_for_products<0>();
  pin(sums);
  store_rows(a, sums);
}

// B times the first 40 columns of A, instead of what the sums were. Meanwhile a chunk of A is overwritten:
// the last that is multiplied, or the next.
template <int Chunk, int Panel>
__device__ void product_of_40_columns(Args a) {
  const uint32_t place = shared_address(shared);
  float sums[5][4];
#pragma unroll
  for (int n = 0; n < 5; n++) sums[n][0] = sums[n][1] = sums[n][2] = sums[n][3] = NAN;
  uint32_t rows[4][4];
  fill(a);
  publish_to_tensor_cores();
  __syncthreads();
  load_rows(rows, place);
  pin(sums);
  begin_products();
  multiply_across(sums, rows[0], rows_across(place, 0, Panel));
#pragma unroll
  for (int k = 1; k < 4; k++) multiply_add_across(sums, rows[k], rows_across(place, k, Panel));
  commit_products();
  if (threadIdx.x < 64) {
    *reinterpret_cast<uint4*>(shared + swizzle<row_chunks>(threadIdx.x, Chunk)) = uint4{};
  }
  wait_for_products<0>();
  pin(sums);
  store_rows(a, sums);
}

extern "C" __global__ void overwrite_behind_columns(Args a) {
  product_of_40_columns<5, matrix_bytes>(a);
}
// There is one panel: where the next would be does not matter.
extern "C" __global__ void multiply_one_panel(Args a) {
  product_of_40_columns<5, 16>(a);
}
extern "C" __global__ void overwrite_last_columns(Args a) {
  product_of_40_columns<4, matrix_bytes>(a);
}

// B times 80 columns, those of A and the first 16 of B.
template <int Panel>
__device__ void product_of_80_columns(Args a) {
  const uint32_t place = shared_address(shared);
  float sums[10][4] = {};
  uint32_t rows[4][4];
  fill(a);
  publish_to_tensor_cores();
  __syncthreads();
  load_rows(rows, place);
  pin(sums);
  begin_products();
#pragma unroll
  for (int k = 0; k < 4; k++) multiply_add_across(sums, rows[k], rows_across(place, k, Panel));
  commit_products();
  wait_for_products<0>();
  pin(sums);
  store_rows(a, sums);
}

extern "C" __global__ void multiply_two_panels(Args a) {
  product_of_80_columns<matrix_bytes>(a);
}
extern "C" __global__ void multiply_two_panels_apart(Args a) {
  product_of_80_columns<matrix_bytes + 512>(a);
}

// B A^T, B in registers, of which the second group of products is under way while the first is stored.
extern "C" __global__ void multiply_registers_in_two_groups(Args a) {
  const uint32_t place = shared_address(shared);
  Sums first = {}, second = {};
  uint32_t rows[4][4];
  fill(a);
  publish_to_tensor_cores();
  __syncthreads();
  load_rows(rows, place);
  pin(first);
  pin(second);
  begin_products();
#pragma unroll
  for (int k = 0; k < 4; k++) multiply_add_along(first, rows[k], matrix_descriptor(place + k * 32));
  commit_products();
#pragma unroll
  for (int k = 0; k < 4; k++) multiply_add_along(second, rows[k], matrix_descriptor(place + k * 32));
  commit_products();
  wait_but_for_last();
  pin(first);
  store_rows(a, first);
  wait_for_products<0>();
  pin(second);
  store_rows(a, second);
}

// B A^T, B in registers: those of the second half of a step are multiplied while the next step begins.
extern "C" __global__ void multiply_registers_around_loop(Args a) {
  const uint32_t place = shared_address(shared);
  const int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16;
  Sums sums = {};
  fill(a);
  publish_to_tensor_cores();
  __syncthreads();
  pin(sums);
#pragma unroll 1
  for (int step = 0; step < 4; step += 2) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int k = step + half;
      uint32_t rows[4];
      load_matrices(rows, place + matrix_bytes + swizzle<row_chunks>(row + lane % 16, k * 2 + lane / 16));
      begin_products();
      multiply_add_along(sums, rows, matrix_descriptor(place + k * 32));
      commit_products();
      wait_but_for_last();
    }
  }
  wait_for_products<0>();
  pin(sums);
  store_rows(a, sums);
}

}  // namespace tintype::cuda
