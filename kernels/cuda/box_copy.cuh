// Boxes of tensors that the copy engine of sm_90 brings to shared memory: rows of 128 bytes, their chunks
// swizzled as by swizzle<8>. One thread asks for a box; its bytes count at a barrier when they have arrived,
// and tensor cores may read them at once.
#pragma once
#include "tensor_map.h"

namespace tintype::cuda {

__device__ inline void copy_rows(uint32_t target, const TensorMap& map, int column, int row,
                                 uint32_t barrier) {
#if __CUDA_ARCH__ >= 900
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%2, %3}], [%4];" ::"r"(target),
      "l"(&map), "r"(column), "r"(row), "r"(barrier)
      : "memory");
#endif
}

// What tap (down, right) meets, beginning with the output whose first tap meets pixel (y, x).
__device__ inline void copy_patches(uint32_t target, const TensorMap& map, int channel, int x, int y,
                                    int picture, int right, int down, uint32_t barrier) {
#if __CUDA_ARCH__ >= 900
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%2, %3, %4, %5}], [%6], {%7, %8};" ::"r"(target),
      "l"(&map), "r"(channel), "r"(x), "r"(y), "r"(picture), "r"(barrier), "h"(static_cast<uint16_t>(right)),
      "h"(static_cast<uint16_t>(down))
      : "memory");
#endif
}

}  // namespace tintype::cuda
