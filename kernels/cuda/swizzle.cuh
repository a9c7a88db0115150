// Tiles in shared memory that are copied 16 bytes at a time, and that ldmatrix or wgmma reads.
#pragma once
#include <cstdint>

namespace tintype::cuda {

// Where a chunk lies in a tile of rows of 64 bytes, two of which fill all banks, or of 128: eight rows of a
// matrix and eight chunks of a copy never meet in a bank. That of eight chunks is what matrix descriptors
// name (warpgroup.cuh).
template <int Chunks>
__device__ uint32_t swizzle(int row, int chunk) {
  static_assert(Chunks == 4 || Chunks == 8);
  const int turned = Chunks == 4 ? chunk ^ (row >> 1 & 3) : chunk ^ (row & 7);
  return static_cast<uint32_t>((row * Chunks + turned) << 4);
}

}  // namespace tintype::cuda
