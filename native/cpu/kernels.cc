#include "kernels.h"

#include <cstdlib>
#include <string>

#include "../../kernels/cpu/dispatch.h"
#include "../errors.h"

namespace tintype {

const CpuKernels& process_kernels() {
  // Once: weights are packed for one instruction set.
  static const CpuKernels& kernels = []() -> const CpuKernels& {
    const char* wanted = std::getenv("TINTYPE_ISA");
    const CpuKernels* found = find_kernels(wanted == nullptr ? "" : wanted);
    if (found != nullptr) return *found;
    std::string list;
    for (const CpuKernels* supported : supported_kernels())
      list += text(list.empty() ? "" : ", ", supported->isa);
    throw Error(code::invalid_argument, "TINTYPE_ISA is \"", wanted, "\", but this machine supports ", list,
                ".");
  }();
  return kernels;
}

}  // namespace tintype
