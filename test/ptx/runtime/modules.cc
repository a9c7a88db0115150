// What the CUDA backend takes for its compiled kernels: names of folders with .ptx files (cudart.cc).
#include "../../../native/cuda/modules.h"

namespace tintype::cuda {

std::span<const void* const> f16_modules() {
  static const void* const all[] = {"f16"};
  return all;
}

std::span<const void* const> bf16_modules() {
  static const void* const all[] = {"bf16"};
  return all;
}

}  // namespace tintype::cuda
