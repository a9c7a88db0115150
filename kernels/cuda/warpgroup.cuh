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

// Until all groups are finished.
__device__ inline void wait_for_products() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
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

// The registers of a row of d.
#define TINTYPE_ROW(n) "+f"(d[n][0]), "+f"(d[n][1]), "+f"(d[n][2]), "+f"(d[n][3])

// d (64x64, of which a warp has 16 rows) += a (64x16) b (64x16)^T
__device__ inline void warpgroup_multiply_add(float (&d)[8][4], uint64_t a, uint64_t b) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32." TINTYPE_WGMMA_TYPES
               " {"
               "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "
               "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
               "%32, %33, 1, 1, 1, 0, 0;"
               : TINTYPE_ROW(0), TINTYPE_ROW(1), TINTYPE_ROW(2), TINTYPE_ROW(3), TINTYPE_ROW(4),
                 TINTYPE_ROW(5), TINTYPE_ROW(6), TINTYPE_ROW(7)
               : "l"(a), "l"(b));
#endif
}

// d (64x80, of which a warp has 16 rows) += a (64x16) b (80x16)^T
__device__ inline void warpgroup_multiply_add(float (&d)[10][4], uint64_t a, uint64_t b) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.mma_async.sync.aligned.m64n80k16.f32." TINTYPE_WGMMA_TYPES
               " {"
               "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "
               "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, "
               "%34, %35, %36, %37, %38, %39}, "
               "%40, %41, 1, 1, 1, 0, 0;"
               : TINTYPE_ROW(0), TINTYPE_ROW(1), TINTYPE_ROW(2), TINTYPE_ROW(3), TINTYPE_ROW(4),
                 TINTYPE_ROW(5), TINTYPE_ROW(6), TINTYPE_ROW(7), TINTYPE_ROW(8), TINTYPE_ROW(9)
               : "l"(a), "l"(b));
#endif
}

// d (64x128, of which a warp has 16 rows) += a (64x16) b (128x16)^T
__device__ inline void warpgroup_multiply_add(float (&d)[16][4], uint64_t a, uint64_t b) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32." TINTYPE_WGMMA_TYPES
               " {"
               "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "
               "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, "
               "%34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, "
               "%50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
               "%64, %65, 1, 1, 1, 0, 0;"
               : TINTYPE_ROW(0), TINTYPE_ROW(1), TINTYPE_ROW(2), TINTYPE_ROW(3), TINTYPE_ROW(4),
                 TINTYPE_ROW(5), TINTYPE_ROW(6), TINTYPE_ROW(7), TINTYPE_ROW(8), TINTYPE_ROW(9),
                 TINTYPE_ROW(10), TINTYPE_ROW(11), TINTYPE_ROW(12), TINTYPE_ROW(13), TINTYPE_ROW(14),
                 TINTYPE_ROW(15)
               : "l"(a), "l"(b));
#endif
}

// d (64x160, of which a warp has 16 rows) += a (64x16) b (160x16)^T
__device__ inline void warpgroup_multiply_add(float (&d)[20][4], uint64_t a, uint64_t b) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.mma_async.sync.aligned.m64n160k16.f32." TINTYPE_WGMMA_TYPES
               " {"
               "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "
               "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, "
               "%34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, "
               "%50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, %64, %65, "
               "%66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79}, "
               "%80, %81, 1, 1, 1, 0, 0;"
               : TINTYPE_ROW(0), TINTYPE_ROW(1), TINTYPE_ROW(2), TINTYPE_ROW(3), TINTYPE_ROW(4),
                 TINTYPE_ROW(5), TINTYPE_ROW(6), TINTYPE_ROW(7), TINTYPE_ROW(8), TINTYPE_ROW(9),
                 TINTYPE_ROW(10), TINTYPE_ROW(11), TINTYPE_ROW(12), TINTYPE_ROW(13), TINTYPE_ROW(14),
                 TINTYPE_ROW(15), TINTYPE_ROW(16), TINTYPE_ROW(17), TINTYPE_ROW(18), TINTYPE_ROW(19)
               : "l"(a), "l"(b));
#endif
}

// d (64x64, of which a warp has 16 rows) = a (64x16) b (64x16)^T
__device__ inline void warpgroup_multiply(float (&d)[8][4], uint64_t a, uint64_t b) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32." TINTYPE_WGMMA_TYPES
               " {"
               "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "
               "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
               "%32, %33, 0, 1, 1, 0, 0;"
               : TINTYPE_ROW(0), TINTYPE_ROW(1), TINTYPE_ROW(2), TINTYPE_ROW(3), TINTYPE_ROW(4),
                 TINTYPE_ROW(5), TINTYPE_ROW(6), TINTYPE_ROW(7)
               : "l"(a), "l"(b));
#endif
}

// d (64x80, of which a warp has 16 rows) = a (64x16) b (80x16)^T
__device__ inline void warpgroup_multiply(float (&d)[10][4], uint64_t a, uint64_t b) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.mma_async.sync.aligned.m64n80k16.f32." TINTYPE_WGMMA_TYPES
               " {"
               "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "
               "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, "
               "%34, %35, %36, %37, %38, %39}, "
               "%40, %41, 0, 1, 1, 0, 0;"
               : TINTYPE_ROW(0), TINTYPE_ROW(1), TINTYPE_ROW(2), TINTYPE_ROW(3), TINTYPE_ROW(4),
                 TINTYPE_ROW(5), TINTYPE_ROW(6), TINTYPE_ROW(7), TINTYPE_ROW(8), TINTYPE_ROW(9)
               : "l"(a), "l"(b));
#endif
}

// d (64x128, of which a warp has 16 rows) = a (64x16) b (128x16)^T
__device__ inline void warpgroup_multiply(float (&d)[16][4], uint64_t a, uint64_t b) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32." TINTYPE_WGMMA_TYPES
               " {"
               "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "
               "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, "
               "%34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, "
               "%50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
               "%64, %65, 0, 1, 1, 0, 0;"
               : TINTYPE_ROW(0), TINTYPE_ROW(1), TINTYPE_ROW(2), TINTYPE_ROW(3), TINTYPE_ROW(4),
                 TINTYPE_ROW(5), TINTYPE_ROW(6), TINTYPE_ROW(7), TINTYPE_ROW(8), TINTYPE_ROW(9),
                 TINTYPE_ROW(10), TINTYPE_ROW(11), TINTYPE_ROW(12), TINTYPE_ROW(13), TINTYPE_ROW(14),
                 TINTYPE_ROW(15)
               : "l"(a), "l"(b));
#endif
}

// d (64x48) += a (64x16, of which a warp has 16 rows in its registers) b (16x48)
__device__ inline void warpgroup_multiply_add(float (&d)[6][4], const uint32_t (&a)[4], uint64_t b) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.mma_async.sync.aligned.m64n48k16.f32." TINTYPE_WGMMA_TYPES
               " {"
               "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "
               "%18, %19, %20, %21, %22, %23}, "
               "{%24, %25, %26, %27}, %28, 1, 1, 1, 1;"
               : TINTYPE_ROW(0), TINTYPE_ROW(1), TINTYPE_ROW(2), TINTYPE_ROW(3), TINTYPE_ROW(4),
                 TINTYPE_ROW(5)
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
#endif
}

// d (64x72) += a (64x16, of which a warp has 16 rows in its registers) b (16x72)
__device__ inline void warpgroup_multiply_add(float (&d)[9][4], const uint32_t (&a)[4], uint64_t b) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.mma_async.sync.aligned.m64n72k16.f32." TINTYPE_WGMMA_TYPES
               " {"
               "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "
               "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, "
               "%34, %35}, "
               "{%36, %37, %38, %39}, %40, 1, 1, 1, 1;"
               : TINTYPE_ROW(0), TINTYPE_ROW(1), TINTYPE_ROW(2), TINTYPE_ROW(3), TINTYPE_ROW(4),
                 TINTYPE_ROW(5), TINTYPE_ROW(6), TINTYPE_ROW(7), TINTYPE_ROW(8)
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
#endif
}

// d (64x88) += a (64x16, of which a warp has 16 rows in its registers) b (16x88)
__device__ inline void warpgroup_multiply_add(float (&d)[11][4], const uint32_t (&a)[4], uint64_t b) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("wgmma.mma_async.sync.aligned.m64n88k16.f32." TINTYPE_WGMMA_TYPES
               " {"
               "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "
               "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, "
               "%34, %35, %36, %37, %38, %39, %40, %41, %42, %43}, "
               "{%44, %45, %46, %47}, %48, 1, 1, 1, 1;"
               : TINTYPE_ROW(0), TINTYPE_ROW(1), TINTYPE_ROW(2), TINTYPE_ROW(3), TINTYPE_ROW(4),
                 TINTYPE_ROW(5), TINTYPE_ROW(6), TINTYPE_ROW(7), TINTYPE_ROW(8), TINTYPE_ROW(9),
                 TINTYPE_ROW(10)
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
#endif
}

#undef TINTYPE_ROW
#undef TINTYPE_WGMMA_f16
#undef TINTYPE_WGMMA_bf16
#undef TINTYPE_WGMMA_fast
#undef TINTYPE_WGMMA_OF
#undef TINTYPE_PASTE
#undef TINTYPE_WGMMA_TYPES

}  // namespace tintype::cuda
