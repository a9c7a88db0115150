// Instructions of sm_90 by which warps and blocks meet, for the fixtures of the interpreter.
#pragma once
#include <cstdint>

namespace tintype::cuda {

__device__ inline uint32_t address_of(const void* shared) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(shared));
}

__device__ inline void init_mbarrier(uint32_t mbarrier, uint32_t count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(mbarrier), "r"(count) : "memory");
}
__device__ inline void invalidate_mbarrier(uint32_t mbarrier) {
  asm volatile("mbarrier.inval.shared::cta.b64 [%0];" ::"r"(mbarrier) : "memory");
}
__device__ inline void fence_mbarrier_inits() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
__device__ inline void fence_async_proxy() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
__device__ inline void arrive(uint32_t mbarrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(mbarrier) : "memory");
}
__device__ inline void arrive(uint32_t mbarrier, uint32_t count) {
  asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(mbarrier), "r"(count)
               : "memory");
}
__device__ inline void arrive_relaxed(uint32_t mbarrier) {
  asm volatile("mbarrier.arrive.relaxed.cta.shared::cta.b64 _, [%0];" ::"r"(mbarrier) : "memory");
}
__device__ inline uint64_t arrive_for_state(uint32_t mbarrier) {
  uint64_t state;
  asm volatile("mbarrier.arrive.shared::cta.b64 %0, [%1];" : "=l"(state) : "r"(mbarrier) : "memory");
  return state;
}
__device__ inline void arrive_and_expect(uint32_t mbarrier, uint32_t bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(mbarrier), "r"(bytes)
               : "memory");
}
__device__ inline void expect(uint32_t mbarrier, uint32_t bytes) {
  asm volatile("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%0], %1;" ::"r"(mbarrier), "r"(bytes)
               : "memory");
}
// At the mbarrier of another block of the cluster.
__device__ inline void arrive_remote(uint32_t mbarrier) {
  asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0];" ::"r"(mbarrier) : "memory");
}

__device__ inline bool is_over(uint32_t mbarrier, uint32_t parity) {
  uint32_t over;
  asm volatile(
      "{\n.reg .pred p;\n"
      "mbarrier.test_wait.parity.shared::cta.b64 p, [%1], %2;\n"
      "selp.u32 %0, 1, 0, p;\n}"
      : "=r"(over)
      : "r"(mbarrier), "r"(parity)
      : "memory");
  return over;
}
__device__ inline void wait(uint32_t mbarrier, uint32_t parity) {
  asm volatile(
      "{\n.reg .pred p;\nAGAIN:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n"
      "@p bra OVER;\nbra AGAIN;\nOVER:\n}" ::"r"(mbarrier),
      "r"(parity)
      : "memory");
}
__device__ inline void wait_for_state(uint32_t mbarrier, uint64_t state) {
  asm volatile(
      "{\n.reg .pred p;\nAGAIN:\n"
      "mbarrier.try_wait.shared::cta.b64 p, [%0], %1;\n"
      "@!p bra AGAIN;\n}" ::"r"(mbarrier),
      "l"(state)
      : "memory");
}
// For what other blocks have released.
__device__ inline void wait_in_cluster(uint32_t mbarrier, uint32_t parity) {
  asm volatile(
      "{\n.reg .pred p;\nAGAIN:\n"
      "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%0], %1;\n"
      "@!p bra AGAIN;\n}" ::"r"(mbarrier),
      "r"(parity)
      : "memory");
}

__device__ inline void copy_bulk(uint32_t target, const void* source, uint32_t bytes, uint32_t mbarrier) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(target),
      "l"(__cvta_generic_to_global(source)), "r"(bytes), "r"(mbarrier)
      : "memory");
}
__device__ inline void copy_bulk_to_all(uint32_t target, const void* source, uint32_t bytes,
                                        uint32_t mbarrier, uint16_t blocks) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1], %2, "
      "[%3], %4;" ::"r"(target),
      "l"(__cvta_generic_to_global(source)), "r"(bytes), "r"(mbarrier), "h"(blocks)
      : "memory");
}

__device__ inline void meet_by_name(uint32_t barrier, uint32_t threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}
__device__ inline void arrive_by_name(uint32_t barrier, uint32_t threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

// Whether this lane is the one of its warp that is chosen.
__device__ inline bool is_elected() {
  uint32_t elected;
  asm volatile("{\n.reg .pred p;\nelect.sync _|p, 0xffffffff;\nselp.u32 %0, 1, 0, p;\n}"
               : "=r"(elected)::"memory");
  return elected;
}

// As the coordinates of one dimension say it.
__device__ inline uint32_t rank_by_coordinates() {
  uint32_t in_cluster, cluster;
  asm volatile("mov.u32 %0, %%cluster_ctaid.x;\nmov.u32 %1, %%clusterid.x;"
               : "=r"(in_cluster), "=r"(cluster));
  return in_cluster + cluster * 100;
}
__device__ inline uint32_t rank_in_cluster() {
  uint32_t rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}
__device__ inline uint32_t address_in(uint32_t rank, uint32_t address) {
  uint32_t remote;
  asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(remote) : "r"(address), "r"(rank));
  return remote;
}
__device__ inline void arrive_at_cluster() {
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
}
__device__ inline void arrive_at_cluster_relaxed() {
  asm volatile("barrier.cluster.arrive.relaxed.aligned;" ::: "memory");
}
__device__ inline void wait_for_cluster() {
  asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
}

}  // namespace tintype::cuda
