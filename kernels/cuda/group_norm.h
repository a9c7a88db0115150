// How group_norm cuts its work into blocks, and what its kernels hand on.
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

// Pictures whose blocks count how many of them have arrived.
inline constexpr int group_norm_pictures = 1024;

constexpr int32_t group_norm_stretch(int64_t hw) {
  const int64_t at_most = 256;  // of which the last block of a picture makes one
  const int64_t pixels = ceil_div(hw, at_most);
  return static_cast<int32_t>(pixels < 64 ? 64 : pixels);
}

// Channels that a thread takes: 16 bytes where every row allows it.
constexpr int group_norm_vector(int64_t c) {
  return c % 8 == 0 ? 8 : 1;
}

// A block of group_norm_whole takes one group of one picture as a whole.
inline constexpr int group_norm_whole_threads = 512;

// Numbers of a group up to which one launch of such blocks takes no longer than two of all processors.
inline constexpr int64_t group_norm_whole_numbers = 128 << 10;

constexpr bool group_norm_is_whole(int64_t hw, int64_t width) {
  return hw * width <= group_norm_whole_numbers;
}

// Channels that its threads take at a time: what divides a group, and with it every row.
constexpr int group_norm_whole_vector(int64_t width) {
  return width % 8 == 0 ? 8 : width % 4 == 0 ? 4 : width % 2 == 0 ? 2 : 1;
}

}  // namespace tintype::cuda
