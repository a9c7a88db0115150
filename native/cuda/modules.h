// The compiled kernels, as they lie in the addon: a fat binary for each source and element type.
#pragma once
#include <span>

namespace tintype::cuda {

std::span<const void* const> f16_modules();
std::span<const void* const> bf16_modules();

}  // namespace tintype::cuda
