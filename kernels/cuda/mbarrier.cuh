// Barriers in shared memory that some threads arrive at and others wait for: a phase ends when all that were
// expected have arrived, and all bytes of copies with them. sm_90 has them.
#pragma once
#include <cstdint>

namespace tintype::cuda {

__device__ inline void init_barrier(uint32_t barrier, uint32_t arrivals) {
#if __CUDA_ARCH__ >= 900
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
#endif
}

// Barriers that were made are there for the copy engine.
__device__ inline void publish_barriers() {
#if __CUDA_ARCH__ >= 900
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
}

// What the thread did before is done for those that wait.
__device__ inline void arrive(uint32_t barrier) {
#if __CUDA_ARCH__ >= 900
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
#endif
}

// The phase does not end before as many bytes have been copied.
__device__ inline void arrive_expecting(uint32_t barrier, uint32_t bytes) {
#if __CUDA_ARCH__ >= 900
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
               : "memory");
#endif
}

// Until the phase of that parity, 0 of the first one, has ended. That before the first has.
__device__ inline void wait_for_phase(uint32_t barrier, uint32_t parity) {
#if __CUDA_ARCH__ >= 900
  uint32_t has_ended = 0;
  while (!has_ended) {
    asm volatile(
        "{\n"
        ".reg .pred ended;\n"
        "mbarrier.try_wait.parity.shared::cta.b64 ended, [%1], %2;\n"
        "selp.u32 %0, 1, 0, ended;\n"
        "}"
        : "=r"(has_ended)
        : "r"(barrier), "r"(parity)
        : "memory");
  }
#endif
}

}  // namespace tintype::cuda
