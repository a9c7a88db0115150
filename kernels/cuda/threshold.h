// What the host works out for dynamic_threshold: between which ranks the percentile lies.
#pragma once
#include "../args.gen.h"

namespace tintype::cuda {

inline constexpr int threshold_threads = 512;

struct ThresholdArgs {
  DynamicThresholdArgs op;
  int32_t rank;    // of the number below the percentile, counted from 0
  float fraction;  // of the way to the next one
};

}  // namespace tintype::cuda
