// The compiled kernels, as they lie in the addon: a fat binary for each source and precision.
#pragma once
#include <span>

namespace tintype::cuda {

// How elements are stored and products summed. `fast` is f16 with sums of 32 products in fp16: it has modules
// for matrix products alone, all others are those of f16.
enum class Precision { f16, bf16, fast };

std::span<const void* const> f16_modules();
std::span<const void* const> bf16_modules();
std::span<const void* const> fast_modules();

}  // namespace tintype::cuda
