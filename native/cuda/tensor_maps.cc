#include "tensor_maps.h"

#include <cuda.h>

#include <cstring>

#include "../errors.h"

namespace tintype::cuda {

namespace {

template <class Function>
Function* look_up(Device& device, const char* name) {
  return reinterpret_cast<Function*>(device.driver_function(name));
}

void check(CUresult result, const char* name) {
  if (result != CUDA_SUCCESS)
    throw Error(code::internal, name, " failed with error ", static_cast<int>(result), ".");
}

// Both element types are bits here.
constexpr CUtensorMapDataType elements = CU_TENSOR_MAP_DATA_TYPE_UINT16;
constexpr CUtensorMapInterleave interleave = CU_TENSOR_MAP_INTERLEAVE_NONE;
constexpr CUtensorMapSwizzle swizzle = CU_TENSOR_MAP_SWIZZLE_128B;
constexpr CUtensorMapL2promotion promotion = CU_TENSOR_MAP_L2_PROMOTION_L2_256B;
constexpr CUtensorMapFloatOOBfill outside = CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE;  // 0

}  // namespace

TensorMap map_tensor(Device& device, const BoxedTensor& tensor) {
  // A look-up that throws is made again the next time.
  static const auto encode_tiled =
      look_up<decltype(cuTensorMapEncodeTiled)>(device, "cuTensorMapEncodeTiled");
  static const auto encode_im2col =
      look_up<decltype(cuTensorMapEncodeIm2col)>(device, "cuTensorMapEncodeIm2col");
  cuuint64_t sizes[4], strides[3], stride = 2;
  for (int i = 0; i < tensor.rank; i++) {
    sizes[i] = static_cast<cuuint64_t>(tensor.sizes[i]);
    stride *= sizes[i];
    if (i < 3) strides[i] = stride;
  }
  const auto rank = static_cast<cuuint32_t>(tensor.rank), rows = static_cast<cuuint32_t>(tensor.box_rows),
             step = static_cast<cuuint32_t>(tensor.stride);
  void* const data = const_cast<void*>(tensor.data);
  CUtensorMap made;
  if (tensor.of_patches) {
    const cuuint32_t steps[] = {1, step, step, 1};
    check(encode_im2col(&made, elements, rank, data, sizes, strides, tensor.first, tensor.last, box_columns,
                        rows, steps, interleave, swizzle, promotion, outside),
          "cuTensorMapEncodeIm2col");
  } else {
    const cuuint32_t box[] = {box_columns, rows}, steps[] = {1, 1};
    check(encode_tiled(&made, elements, rank, data, sizes, strides, box, steps, interleave, swizzle,
                       promotion, outside),
          "cuTensorMapEncodeTiled");
  }
  TensorMap map;
  static_assert(sizeof made == sizeof map && alignof(CUtensorMap) <= alignof(TensorMap));
  std::memcpy(&map, &made, sizeof map);
  return map;
}

}  // namespace tintype::cuda
