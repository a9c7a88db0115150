// The order of launches where a GPU begins one before the other has ended (programmatic dependent launch, sm_90 and later;
// CUDA C++ Programming Guide): its blocks take the places of those that have finished, and wait.
#pragma once

namespace tintype::cuda {

// The first thing that every kernel does: what all launches before it wrote is there from here on. The next launch may
// begin as soon as all blocks of this one have.
__device__ inline void follow_previous_launch() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

}  // namespace tintype::cuda
