// What conv2d_normalize gets.
#pragma once
#include "../args.gen.h"

namespace tintype::cuda {

struct NormalizeArgs {
  Conv2dArgs op;
  float* y;  // (n, h, w, c)
};

}  // namespace tintype::cuda
