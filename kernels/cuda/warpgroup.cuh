// Products of a warpgroup, four warps together, from shared memory: wgmma of sm_90a. They go on while the
// warps do.
#pragma once
#include "element.cuh"

namespace tintype::cuda {

// Only machine code of sm_90a has them.
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
inline constexpr bool by_warpgroups = true;
#else
inline constexpr bool by_warpgroups = false;
#endif

// What this thread has written to shared memory, its copies that have arrived among it, is there for tensor
// cores.
__device__ inline void publish_to_tensor_cores() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

// Before the first products into registers that were touched.
__device__ inline void begin_products() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}

// What has been issued since the last commit is a group.
__device__ inline void commit_products() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
}

// Until at most `Groups` groups, the last ones, are unfinished.
template <int Groups>
__device__ inline void wait_for_products() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Groups) : "memory");
#endif
}

// Rows of 128 bytes one after the other, their chunks swizzled as by swizzle<8>: eight rows repeat after 1024
// bytes. They lie along the depth; or each is one of the depth, and where that is wider than 64 the next 64
// columns are in a panel of their own, `panel_bytes` behind (PTX ISA, "Matrix Descriptor Format"; 1 in the
// highest bits is the swizzle of 128).
__device__ inline uint64_t matrix_descriptor(uint32_t address, uint32_t panel_bytes = 16) {
  constexpr uint64_t rows = uint64_t{1024 >> 4} << 32, swizzle_128 = uint64_t{1} << 62;
  return rows | swizzle_128 | uint64_t{panel_bytes >> 4} << 16 | (address & 0x3ffff) >> 4;
}

// What `wgmma` calls a pair of elements, by TINTYPE_PRECISION: strings of asm are no constants that templates
// choose.
#define TINTYPE_WGMMA_f16 "f16.f16"
#define TINTYPE_WGMMA_bf16 "bf16.bf16"
#define TINTYPE_WGMMA_fast TINTYPE_WGMMA_f16
#define TINTYPE_PASTE(a, b) a##b
#define TINTYPE_WGMMA_OF(precision) TINTYPE_PASTE(TINTYPE_WGMMA_, precision)
#define TINTYPE_WGMMA_TYPES TINTYPE_WGMMA_OF(TINTYPE_PRECISION)

// What `wgmma` writes: d as its instruction names it, and its registers as asm gets them, eight columns after
// the other.
#define TINTYPE_NAMES_48                                                                                 \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, " \
  "%22, %23"
#define TINTYPE_NAMES_64 TINTYPE_NAMES_48 ", %24, %25, %26, %27, %28, %29, %30, %31"
#define TINTYPE_NAMES_72 TINTYPE_NAMES_64 ", %32, %33, %34, %35"
#define TINTYPE_NAMES_80 TINTYPE_NAMES_72 ", %36, %37, %38, %39"
#define TINTYPE_NAMES_88 TINTYPE_NAMES_80 ", %40, %41, %42, %43"
#define TINTYPE_NAMES_128 \
  TINTYPE_NAMES_88        \
  ", %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define TINTYPE_NAMES_160 \
  TINTYPE_NAMES_128 ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79"
#define TINTYPE_COLUMNS(n) "+f"(d[n][0]), "+f"(d[n][1]), "+f"(d[n][2]), "+f"(d[n][3])
#define TINTYPE_SUMS_48                                                                               \
  TINTYPE_COLUMNS(0), TINTYPE_COLUMNS(1), TINTYPE_COLUMNS(2), TINTYPE_COLUMNS(3), TINTYPE_COLUMNS(4), \
      TINTYPE_COLUMNS(5)
#define TINTYPE_SUMS_64 TINTYPE_SUMS_48, TINTYPE_COLUMNS(6), TINTYPE_COLUMNS(7)
#define TINTYPE_SUMS_72 TINTYPE_SUMS_64, TINTYPE_COLUMNS(8)
#define TINTYPE_SUMS_80 TINTYPE_SUMS_72, TINTYPE_COLUMNS(9)
#define TINTYPE_SUMS_88 TINTYPE_SUMS_80, TINTYPE_COLUMNS(10)
#define TINTYPE_SUMS_128                                                                               \
  TINTYPE_SUMS_88, TINTYPE_COLUMNS(11), TINTYPE_COLUMNS(12), TINTYPE_COLUMNS(13), TINTYPE_COLUMNS(14), \
      TINTYPE_COLUMNS(15)
#define TINTYPE_SUMS_160 \
  TINTYPE_SUMS_128, TINTYPE_COLUMNS(16), TINTYPE_COLUMNS(17), TINTYPE_COLUMNS(18), TINTYPE_COLUMNS(19)

// Of 64 rows of d a warp has 16. `a` and `b` are the numbers of the operands behind those of d, `more` is 1
// where they are added to what d was.
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define TINTYPE_MULTIPLY_SHARED(columns, a_number, b_number, more)                                      \
  asm volatile("wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." TINTYPE_WGMMA_TYPES              \
               " {" TINTYPE_NAMES_##columns "}, %" #a_number ", %" #b_number ", " #more ", 1, 1, 0, 0;" \
               : TINTYPE_SUMS_##columns                                                                 \
               : "l"(a), "l"(b))
#define TINTYPE_MULTIPLY_REGISTERS(columns, a0, a1, a2, a3, b_number)                                  \
  asm volatile("wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." TINTYPE_WGMMA_TYPES             \
               " {" TINTYPE_NAMES_##columns "}, {%" #a0 ", %" #a1 ", %" #a2 ", %" #a3 "}, %" #b_number \
                                            ", 1, 1, 1, 1;"                                            \
               : TINTYPE_SUMS_##columns                                                                \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b))
#else
#define TINTYPE_MULTIPLY_SHARED(columns, a_number, b_number, more)
#define TINTYPE_MULTIPLY_REGISTERS(columns, a0, a1, a2, a3, b_number)
#endif

// d += a (64x16) b^T, of which b has 64, 80, 128 or 160 rows of 16
__device__ inline void warpgroup_multiply_add(float (&d)[8][4], uint64_t a, uint64_t b) {
  TINTYPE_MULTIPLY_SHARED(64, 32, 33, 1);
}
__device__ inline void warpgroup_multiply_add(float (&d)[10][4], uint64_t a, uint64_t b) {
  TINTYPE_MULTIPLY_SHARED(80, 40, 41, 1);
}
__device__ inline void warpgroup_multiply_add(float (&d)[16][4], uint64_t a, uint64_t b) {
  TINTYPE_MULTIPLY_SHARED(128, 64, 65, 1);
}
__device__ inline void warpgroup_multiply_add(float (&d)[20][4], uint64_t a, uint64_t b) {
  TINTYPE_MULTIPLY_SHARED(160, 80, 81, 1);
}

// d = a (64x16) b^T
__device__ inline void warpgroup_multiply(float (&d)[8][4], uint64_t a, uint64_t b) {
  TINTYPE_MULTIPLY_SHARED(64, 32, 33, 0);
}
__device__ inline void warpgroup_multiply(float (&d)[10][4], uint64_t a, uint64_t b) {
  TINTYPE_MULTIPLY_SHARED(80, 40, 41, 0);
}
__device__ inline void warpgroup_multiply(float (&d)[16][4], uint64_t a, uint64_t b) {
  TINTYPE_MULTIPLY_SHARED(128, 64, 65, 0);
}

// d += a b, where a (64x16) is in registers as for mma.sync m16n8k16, 16 rows in each warp, and b has 16 rows
// of 48, 72 or 88
__device__ inline void warpgroup_multiply_add(float (&d)[6][4], const uint32_t (&a)[4], uint64_t b) {
  TINTYPE_MULTIPLY_REGISTERS(48, 24, 25, 26, 27, 28);
}
__device__ inline void warpgroup_multiply_add(float (&d)[9][4], const uint32_t (&a)[4], uint64_t b) {
  TINTYPE_MULTIPLY_REGISTERS(72, 36, 37, 38, 39, 40);
}
__device__ inline void warpgroup_multiply_add(float (&d)[11][4], const uint32_t (&a)[4], uint64_t b) {
  TINTYPE_MULTIPLY_REGISTERS(88, 44, 45, 46, 47, 48);
}

#undef TINTYPE_NAMES_48
#undef TINTYPE_SUMS_48
#undef TINTYPE_NAMES_64
#undef TINTYPE_SUMS_64
#undef TINTYPE_NAMES_72
#undef TINTYPE_SUMS_72
#undef TINTYPE_NAMES_80
#undef TINTYPE_SUMS_80
#undef TINTYPE_NAMES_88
#undef TINTYPE_SUMS_88
#undef TINTYPE_NAMES_128
#undef TINTYPE_SUMS_128
#undef TINTYPE_NAMES_160
#undef TINTYPE_SUMS_160
#undef TINTYPE_COLUMNS
#undef TINTYPE_MULTIPLY_SHARED
#undef TINTYPE_MULTIPLY_REGISTERS
#undef TINTYPE_WGMMA_f16
#undef TINTYPE_WGMMA_bf16
#undef TINTYPE_WGMMA_fast
#undef TINTYPE_WGMMA_OF
#undef TINTYPE_PASTE
#undef TINTYPE_WGMMA_TYPES

}  // namespace tintype::cuda
