// What the host part of an op would launch: every decision is made, and nothing runs.
#pragma once
#include <string>
#include <vector>

#include "../../kernels/cuda/launch.h"

namespace tintype::ptx {

struct PlannedLaunch {
  std::string kernel;
  cuda::Grid grid;
  uint32_t threads;
  size_t shared_bytes;
};

// `words` are those of a plan. Of operands only counts whether they are there.
std::vector<PlannedLaunch> planned_launches(const cuda::Gpu& gpu, const std::vector<uint32_t>& words);

}  // namespace tintype::ptx
