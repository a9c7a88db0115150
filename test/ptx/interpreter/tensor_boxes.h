// Tensor maps as the interpreter makes and reads them, and the boxes that they say.
#pragma once
#include <cstdint>
#include <vector>

#include "../../../kernels/cuda/tensor_map.h"

namespace tintype::ptx {

// Nullptr, or what the driver would refuse.
const char* wrong_with(const cuda::BoxedTensor& tensor);

cuda::TensorMap make_map(const cuda::BoxedTensor& tensor);

// Where a box begins, and how far all of it is moved, in pixels to the right and down.
struct BoxPlace {
  bool of_patches = false;
  int64_t at[4] = {}, moved[2] = {};
};

// The addresses of its chunks of 16 bytes, as they lie in shared memory: rows of 128 bytes, swizzled by as
// many. 0 outside of the tensor. Nullptr, or what is wrong.
const char* find_box(const uint8_t* map, int rank, const BoxPlace& place, std::vector<uint64_t>& chunks);

}  // namespace tintype::ptx
