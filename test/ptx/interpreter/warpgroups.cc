#include "warpgroups.h"

#include <algorithm>

namespace tintype::ptx {

void Warpgroups::reset(size_t warps) {
  steps_.assign((warps + warps_of_group - 1) / warps_of_group, {});
  done_.assign(warps, 0);
}

const char* Warpgroups::execute(int warp, const Step& step) {
  const int group = warp / warps_of_group;
  if (static_cast<size_t>(group + 1) * warps_of_group > done_.size()) return "no four warps for a warpgroup";
  auto& steps = steps_[static_cast<size_t>(group)];
  const size_t number = done_[static_cast<size_t>(warp)]++;
  if (number == steps.size()) {
    steps.push_back(step);
    return nullptr;
  }
  const Step& first = steps[number];
  if (first.instruction != step.instruction) return "warps of a warpgroup execute different instructions";
  if (first.a != step.a || first.b != step.b) return "warps of a warpgroup name different matrices";
  forget(group);
  return nullptr;
}

// What all warps of the group have done.
void Warpgroups::forget(int group) {
  auto& steps = steps_[static_cast<size_t>(group)];
  const auto first = done_.begin() + group * warps_of_group, end = first + warps_of_group;
  if (std::any_of(first, end, [&](size_t done) { return done != steps.size(); })) return;
  steps.clear();
  std::fill(first, end, 0);
}

const Instruction* Warpgroups::unfinished(int& warp) const {
  for (warp = 0; warp < static_cast<int>(done_.size()); warp++) {
    const auto& steps = steps_[static_cast<size_t>(warp / warps_of_group)];
    if (done_[static_cast<size_t>(warp)] != steps.size()) continue;
    const auto first = done_.begin() + warp / warps_of_group * warps_of_group;
    const size_t fewest =
        *std::min_element(first, first + std::min<std::ptrdiff_t>(warps_of_group, done_.end() - first));
    if (fewest < steps.size()) return steps[fewest].instruction;
  }
  return nullptr;
}

void Warpgroups::barrier() {
  for (auto& steps : steps_) steps.clear();
  std::fill(done_.begin(), done_.end(), 0);
}

}  // namespace tintype::ptx
