#pragma once
#include "../../kernels/cuda/tensor_map.h"

namespace tintype::cuda {

// By the driver, whose functions are looked up at run time, as nothing links libcuda.
TensorMap map_tensor(const BoxedTensor& tensor);

}  // namespace tintype::cuda
