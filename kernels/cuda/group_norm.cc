#include "group_norm.h"

#include <stdexcept>
#include <string>

#include "table.h"

namespace tintype::cuda {

namespace {

Grid group_norm_grid(const GroupNormLaunch& a) {
  const int columns = group_norm_columns * group_norm_vector(a.op.c);
  return {static_cast<uint32_t>(a.stretches), static_cast<uint32_t>(ceil_div(a.op.c, columns)),
          static_cast<uint32_t>(a.op.n)};
}

int64_t partial_floats(const GroupNormArgs& a) {
  return a.n * ceil_div(a.hw, group_norm_stretch(a.hw)) * a.c * 2;
}

size_t statistics_workspace(const GroupNormArgs& a) {
  return static_cast<size_t>(partial_floats(a) + a.n * a.groups * 2) * sizeof(float);
}

// Runs the kernel that finds them, and returns what the one that applies them gets.
GroupNormLaunch find_statistics(const GroupNormArgs& a, Launcher& launcher) {
  const int32_t stretch = group_norm_stretch(a.hw);
  float* workspace = static_cast<float*>(launcher.workspace());
  const GroupNormLaunch args = {a, static_cast<int32_t>(ceil_div(a.hw, stretch)), stretch, workspace,
                                workspace + partial_floats(a)};
  if (a.n > group_norm_pictures) {
    throw std::length_error("groupNorm: " + std::to_string(a.n) + " pictures, at most " +
                            std::to_string(group_norm_pictures) + " are normalised at once");
  }
  const int vector = group_norm_vector(a.c);
  const size_t shared = sizeof(float) * 2 * static_cast<size_t>(vector) * group_norm_threads;
  launcher.run(vector == 8 ? "group_norm_statistics_8" : "group_norm_statistics_1", group_norm_grid(args),
               group_norm_threads, args, shared);
  return args;
}

// The op whose statistics are the same.
GroupNormArgs as_group_norm(const GroupFactorsArgs& a) {
  return {a.n, a.hw, a.c, a.x, a.gamma, a.beta, nullptr, a.groups, a.eps, Activation::none};
}

}  // namespace

size_t group_norm_workspace(const GroupNormArgs& a, const Gpu&) {
  return group_norm_is_whole(a.hw, a.c / a.groups) ? 0 : statistics_workspace(a);
}

size_t group_factors_workspace(const GroupFactorsArgs& a, const Gpu&) {
  return statistics_workspace(as_group_norm(a));
}

void group_norm(const GroupNormArgs& a, Launcher& launcher) {
  const int64_t width = a.c / a.groups;
  if (group_norm_is_whole(a.hw, width)) {
    const std::string name = "group_norm_whole_" + std::to_string(group_norm_whole_vector(width));
    const Grid groups = {static_cast<uint32_t>(a.groups), static_cast<uint32_t>(a.n)};
    return launcher.run(name.c_str(), groups, group_norm_whole_threads, a);
  }
  const GroupNormLaunch args = find_statistics(a, launcher);
  launcher.run(group_norm_vector(a.c) == 8 ? "group_norm_apply_8" : "group_norm_apply_1",
               group_norm_grid(args), group_norm_threads, args);
}

void group_factors(const GroupFactorsArgs& a, Launcher& launcher) {
  const GroupNormLaunch found = find_statistics(as_group_norm(a), launcher);
  const auto blocks = static_cast<uint32_t>(ceil_div(a.n * a.c, group_norm_threads));
  launcher.run("group_factors", {blocks}, group_norm_threads, GroupFactorsLaunch{a, found.statistics});
}

}  // namespace tintype::cuda
