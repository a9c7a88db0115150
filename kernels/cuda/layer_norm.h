#pragma once

namespace tintype::cuda {

inline constexpr int layer_norm_threads = 128;  // a warp for each row

}  // namespace tintype::cuda
