#pragma once
#include "device.h"

namespace tintype::cuda {

// By functions of the driver, which are looked up once.
TensorMap map_tensor(Device& device, const BoxedTensor& tensor);

}  // namespace tintype::cuda
