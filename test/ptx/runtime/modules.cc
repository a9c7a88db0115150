// What the CUDA backend takes for its compiled kernels: names of folders with .ptx files (cudart.cc). The
// first module has none, as each has only a part of them where there are many. TINTYPE_PLAYED_ELEMENT names
// the wrong one, for tests of what is said of kernels that compute nonsense.
#include "../../../native/cuda/modules.h"

#include <cstdlib>

namespace tintype::cuda {

std::span<const void* const> f16_modules() {
  const char* const wrong = std::getenv("TINTYPE_PLAYED_ELEMENT");
  static const void* const all[] = {"", wrong ? wrong : "f16"};
  return all;
}

std::span<const void* const> bf16_modules() {
  static const void* const all[] = {"", "bf16"};
  return all;
}

std::span<const void* const> fast_modules() {
  static const void* const all[] = {"", "fast"};
  return all;
}

}  // namespace tintype::cuda
