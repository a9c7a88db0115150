// How group_norm cuts its work into blocks, and what its kernels hand on.
#pragma once
#include "../args.gen.h"
#include "launch.h"

namespace tintype::cuda {

// Where channels of x go on in a second matrix: from which on, c where there is none.
struct SecondChannels {
  const float* x;
  int64_t from;
};

// A block of group_norm_whole keeps one group of one picture in shared memory, behind the sums of its warps.
struct GroupWholeLaunch {
  GroupNormArgs op;
  int32_t columns, rows;  // of threads: one for each vector of channels, in rows of pixels
  int32_t width;          // channels of a group
  int32_t stage_turns;    // times that the rows are copied in each stage
  SecondChannels second;
};

inline constexpr int group_whole_stages = 4;  // in which a group arrives

inline constexpr int group_whole_threads = 1024;  // at most
inline constexpr int group_whole_sums = 2 * group_whole_threads / 32;

// Channels that its threads take at a time: what divides a group, and with it every row.
constexpr int group_whole_vector(int64_t width) {
  return width % 8 == 0 ? 8 : width % 4 == 0 ? 4 : width % 2 == 0 ? 2 : 1;
}

// Pixels that a thread normalises at a time.
constexpr int group_whole_at_once(int vector) {
  return 16 / vector;
}

constexpr int64_t group_whole_shared(int64_t hw, int64_t width) {
  return static_cast<int64_t>(group_whole_sums * sizeof(float)) + hw * width * 2;
}

// Of the other kernels a block takes a stretch of pixels with all channels, or with a panel of them where
// they are very many.
struct GroupNormCut {
  int32_t columns, rows;  // of threads, as above
  int32_t stretch;        // pixels of every block but the last
  int32_t stretches, panels;

  constexpr uint32_t threads() const { return static_cast<uint32_t>(ceil_div(columns * rows, 32) * 32); }
};

inline constexpr int group_norm_threads = 512;  // at most
inline constexpr int group_norm_resident = 2;   // such blocks on a processor

// Channels that a thread takes: 16 bytes where every row allows it.
constexpr int group_norm_vector(int64_t c) {
  return c % 8 == 0 ? 8 : 1;
}

// Pictures whose blocks count how many of them have arrived.
inline constexpr int group_norm_pictures = 1024;

// Floats of shared memory for one number of each thread. Where one plane ends and the next begins, columns go
// on in the next banks, unless two such blocks would be too large for a processor of sm_75.
constexpr int group_factors_plane(const GroupNormCut& cut) {
  const int threads = static_cast<int>(cut.threads()), wanted = threads + cut.columns % 32;
  return wanted <= group_norm_threads ? wanted : threads;
}

struct GroupFactorsLaunch {
  GroupFactorsArgs op;
  GroupNormCut cut;
  float* partials;  // (n, groups, panels, stretches, 2): mean and sum of squares around it
  SecondChannels second;
};

// y = f((x - mean) * factor + shift), for a group norm and for a convolution that wants its picture so.
struct NormalizeArgs {
  int64_t n, hw, c;
  const float* x;                      // (n, hw, c)
  const float *mean, *factor, *shift;  // (n, c)
  float* y;                            // (n, hw, c)
  Activation activation;
};

struct NormalizeLaunch {
  NormalizeArgs op;
  GroupNormCut cut;
  SecondChannels second;
};

void normalize(const NormalizeArgs& a, Launcher& launcher);

}  // namespace tintype::cuda
