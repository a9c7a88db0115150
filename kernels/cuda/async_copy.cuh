// Copies from global to shared memory that go on while the thread computes; on sm_75 they do not.
#pragma once
#include <type_traits>

#include "element.cuh"

namespace tintype::cuda {

// Copies that a loop may issue in one go: on sm_75 each takes four registers until it has arrived.
#if __CUDA_ARCH__ >= 800
inline constexpr int copies_at_once = 64;
#else
inline constexpr int copies_at_once = 8;
#endif

// Zeros where not `wanted`; the source must be readable all the same on sm_80 and later.
__device__ inline void copy_async(uint32_t target, const void* source, bool wanted) {
#if __CUDA_ARCH__ >= 800
  const int bytes = wanted ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(target),
               "l"(__cvta_generic_to_global(source)), "r"(bytes)
               : "memory");
#else
  uint4 v = make_uint4(0, 0, 0, 0);
  if (wanted) v = *static_cast<const uint4*>(source);
  asm volatile("st.shared.v4.b32 [%0], {%1,%2,%3,%4};" ::"r"(target), "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w)
               : "memory");
#endif
}

// Fewer bytes: 2, which are too few to go on alone, 4, 8 or 16, from an address that is a multiple of them.
template <int Bytes>
__device__ inline void copy_async(Element* target, const Element* source) {
  if constexpr (Bytes == 2) {
    *target = *source;
  } else if constexpr (Bytes == 16) {
    copy_async(static_cast<uint32_t>(__cvta_generic_to_shared(target)), source, true);
  } else {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(
                     static_cast<uint32_t>(__cvta_generic_to_shared(target))),
                 "l"(__cvta_generic_to_global(source)), "n"(Bytes)
                 : "memory");
#else
    using Whole = std::conditional_t<Bytes == 4, uint32_t, uint2>;
    *reinterpret_cast<Whole*>(target) = *reinterpret_cast<const Whole*>(source);
#endif
  }
}

// What has been issued since the last commit is a group.
__device__ inline void commit_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Until at most `Groups` groups are under way.
template <int Groups>
__device__ inline void wait_for_copies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(Groups) : "memory");
#endif
}

}  // namespace tintype::cuda
