// How group_norm cuts its work into blocks, and what its three kernels hand on.
#pragma once
#include "../args.gen.h"
#include "launch.h"

namespace tintype::cuda {

// A block takes 32 columns of `vector` channels and 8 pixels at a time of a stretch of pixels.
inline constexpr int group_norm_columns = 32;
inline constexpr int group_norm_rows = 8;
inline constexpr int group_norm_threads = group_norm_columns * group_norm_rows;

struct GroupNormLaunch {
  GroupNormArgs op;
  int32_t stretches;  // of pixels
  int32_t stretch;    // pixels in each but the last
  float* partials;    // (n, stretches, c, 2): mean and sum of squares around it
  float* statistics;  // (n, groups, 2): mean and 1 / deviation
};

struct GroupFactorsLaunch {
  GroupFactorsArgs op;
  const float* statistics;
};

constexpr int32_t group_norm_stretch(int64_t hw) {
  const int64_t at_most = 256;  // of which the second kernel makes one
  const int64_t pixels = ceil_div(hw, at_most);
  return static_cast<int32_t>(pixels < 64 ? 64 : pixels);
}

// Channels that a thread takes: 16 bytes where every row allows it.
constexpr int group_norm_vector(int64_t c) {
  return c % 8 == 0 ? 8 : 1;
}

}  // namespace tintype::cuda
