#include "group_norm.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "table.h"

namespace tintype::cuda {

namespace {

// Of a GPU, for the choice between one launch and two: data sheets, GeForce cards for sm_75, 86, 89 and 120.
struct Rates {
  double clock;   // cycles of a microsecond
  double memory;  // bytes of a microsecond
  double cached;  // bytes that the L2 cache holds beside others
};

Rates rates_of(int architecture) {
  switch (architecture) {
    case 75:
      return {1545, 616e3, 3e6};
    case 80:
    case 87:
      return {1410, 2039e3, 20e6};
    case 86:
      return {1695, 936e3, 3e6};
    case 89:
      return {2520, 1008e3, 36e6};
    case 90:
      return {1700, 3350e3, 25e6};
    default:
      return {2410, 1792e3, 48e6};
  }
}

// What a further kernel of a graph takes before it begins, measured on an H100.
constexpr double launch_microseconds = 3;
// Before a block has its first numbers, and while its threads add up their sums.
constexpr double cycles_at_ends = 1500;
// From the L2 cache: what one processor can take, and what it gets where all of them take.
constexpr double block_bytes_per_cycle = 64, shared_bytes_per_cycle = 24;
// SiLU has an exponential and a reciprocal, of which a processor does 16 in a cycle.
constexpr double cycles_per_number = 2. / 16;
constexpr int64_t sector = 32;

// Bytes of the sectors of memory that `width` channels of a pixel touch, in the mean of all groups.
double sector_bytes(int64_t width) {
  const int64_t bytes = width * 2;
  int64_t sectors = 0;
  for (int64_t group = 0; group < sector; group++) {
    const int64_t first = group * bytes;
    sectors += ceil_div(first + bytes, sector) - first / sector;
  }
  return static_cast<double>(sectors);  // of 32 groups, 32 bytes each
}

// The busiest processor does as many groups as any.
double whole_microseconds(const GroupNormArgs& a, const Gpu& gpu) {
  const int64_t width = a.c / a.groups;
  const double pixels = static_cast<double>(a.hw);
  const double cycles = cycles_at_ends + pixels * sector_bytes(width) / block_bytes_per_cycle +
                        pixels * static_cast<double>(width) * cycles_per_number;
  return static_cast<double>(ceil_div(a.n * a.groups, gpu.processors)) * cycles /
         rates_of(gpu.architecture).clock;
}

// All processors read x twice and write it once.
double divided_microseconds(const GroupNormArgs& a, const Gpu& gpu) {
  const Rates rates = rates_of(gpu.architecture);
  const double bytes = static_cast<double>(a.n * a.hw * a.c * 2);
  const double rate =
      2 * bytes <= rates.cached ? gpu.processors * shared_bytes_per_cycle * rates.clock : rates.memory;
  return launch_microseconds + 2 * cycles_at_ends / rates.clock + 3 * bytes / rate;
}

// One launch takes no longer than two, and a group fits into shared memory.
bool is_whole(const GroupNormArgs& a, const Gpu& gpu) {
  const int64_t width = a.c / a.groups;
  if (width / group_whole_vector(width) > group_whole_threads) return false;
  if (group_whole_shared(a.hw, width) > shared_of_processor(gpu.architecture) - 1024) return false;
  return whole_microseconds(a, gpu) <= divided_microseconds(a, gpu);
}

GroupWholeLaunch cut_whole(const GroupNormArgs& a, const SecondChannels& second, const Gpu& gpu) {
  const int64_t width = a.c / a.groups, vector = group_whole_vector(width), columns = width / vector;
  // Where processors have several groups, two blocks of half as many threads hide what the other waits for.
  const int64_t most = a.n * a.groups > gpu.processors ? group_whole_threads / 2 : group_whole_threads;
  const int64_t at_once = group_whole_at_once(static_cast<int>(vector));
  const int64_t turns = ceil_div(ceil_div(a.hw, std::max<int64_t>(1, most / columns)), at_once) * at_once;
  return {a,
          static_cast<int32_t>(columns),
          static_cast<int32_t>(ceil_div(a.hw, turns)),
          static_cast<int32_t>(width),
          static_cast<int32_t>(ceil_div(turns, group_whole_stages)),
          second};
}

void run_whole(const GroupNormArgs& a, const SecondChannels& second, Launcher& launcher) {
  const int64_t width = a.c / a.groups;
  const GroupWholeLaunch args = cut_whole(a, second, launcher.gpu());
  const std::string name = "group_norm_whole_" + std::to_string(group_whole_vector(width));
  const Grid groups = {static_cast<uint32_t>(a.groups), static_cast<uint32_t>(a.n)};
  launcher.run(name.c_str(), groups, static_cast<uint32_t>(ceil_div(args.columns * args.rows, 32) * 32), args,
               static_cast<size_t>(group_whole_shared(a.hw, width)));
}

// As many blocks as live on the processors together.
GroupNormCut cut_pixels(int64_t n, int64_t hw, int64_t c, const Gpu& gpu) {
  const int64_t vectors = c / group_norm_vector(c), panels = ceil_div(vectors, group_norm_threads);
  const int64_t columns = ceil_div(vectors, panels), rows = std::min(group_norm_threads / columns, hw);
  const int64_t blocks = std::max<int64_t>(1, gpu.processors * group_norm_resident / (n * panels));
  const int64_t stretch = std::max(rows, ceil_div(hw, blocks));
  return {static_cast<int32_t>(columns), static_cast<int32_t>(rows), static_cast<int32_t>(stretch),
          static_cast<int32_t>(ceil_div(hw, stretch)), static_cast<int32_t>(panels)};
}

Grid grid_of(const GroupNormCut& cut, int64_t n) {
  return {static_cast<uint32_t>(cut.stretches), static_cast<uint32_t>(cut.panels), static_cast<uint32_t>(n)};
}

// The op that finds what the other one applies.
GroupFactorsArgs as_group_factors(const GroupNormArgs& a, float* found) {
  float *factor = found + a.n * a.c, *shift = factor + a.n * a.c;
  return {a.n, a.hw, a.c, a.x, nullptr, nullptr, a.gamma, a.beta, found, factor, shift, a.groups, a.eps};
}

// Floats that the factors of all pictures take in front of the partials, which come in pairs.
int64_t factors_count(const GroupNormArgs& a) {
  return ceil_div(3 * a.n * a.c, 4) * 4;
}

template <class Args>
int64_t partials_count(const Args& a, const Gpu& gpu) {
  const GroupNormCut cut = cut_pixels(a.n, a.hw, a.c, gpu);
  return a.n * a.groups * cut.panels * cut.stretches * 2;
}

void find_factors(const GroupFactorsArgs& a, const SecondChannels& second, float* partials,
                  Launcher& launcher) {
  if (a.n > group_norm_pictures) {
    throw std::length_error("groupNorm: " + std::to_string(a.n) + " pictures, at most " +
                            std::to_string(group_norm_pictures) + " are normalised at once");
  }
  const GroupNormCut cut = cut_pixels(a.n, a.hw, a.c, launcher.gpu());
  const int vector = group_norm_vector(a.c);
  const size_t shared = sizeof(float) * 2 * static_cast<size_t>(vector * group_factors_plane(cut));
  launcher.run(vector == 8 ? "group_factors_8" : "group_factors_1", grid_of(cut, a.n), cut.threads(),
               GroupFactorsLaunch{a, cut, partials, second}, shared);
}

}  // namespace

size_t group_factors_workspace(const GroupFactorsArgs& a, const Gpu& gpu) {
  return static_cast<size_t>(partials_count(a, gpu)) * sizeof(float);
}

size_t group_norm_workspace(const GroupNormArgs& a, const Gpu& gpu) {
  if (is_whole(a, gpu)) return 0;
  return static_cast<size_t>(factors_count(a) + partials_count(a, gpu)) * sizeof(float);
}

void group_factors(const GroupFactorsArgs& a, Launcher& launcher) {
  find_factors(a, {nullptr, a.c}, static_cast<float*>(launcher.workspace()), launcher);
}

namespace {

void run_normalize(const NormalizeArgs& a, const SecondChannels& second, Launcher& launcher) {
  const GroupNormCut cut = cut_pixels(a.n, a.hw, a.c, launcher.gpu());
  launcher.run(group_norm_vector(a.c) == 8 ? "normalize_8" : "normalize_1", grid_of(cut, a.n), cut.threads(),
               NormalizeLaunch{a, cut, second});
}

void run_group_norm(const GroupNormArgs& a, const SecondChannels& second, Launcher& launcher) {
  if (is_whole(a, launcher.gpu())) return run_whole(a, second, launcher);
  float* found = static_cast<float*>(launcher.workspace());
  const GroupFactorsArgs factors = as_group_factors(a, found);
  find_factors(factors, second, found + factors_count(a), launcher);
  run_normalize({a.n, a.hw, a.c, a.x, factors.mean, factors.factor, factors.shift, a.y, a.activation}, second,
                launcher);
}

GroupNormArgs as_group_norm(const ConcatGroupNormArgs& a) {
  return {a.n, a.hw, a.c, a.a, a.gamma, a.beta, a.y, a.groups, a.eps, a.activation};
}

}  // namespace

void normalize(const NormalizeArgs& a, Launcher& launcher) {
  run_normalize(a, {nullptr, a.c}, launcher);
}

void group_norm(const GroupNormArgs& a, Launcher& launcher) {
  run_group_norm(a, {nullptr, a.c}, launcher);
}

size_t concat_group_norm_workspace(const ConcatGroupNormArgs& a, const Gpu& gpu) {
  return group_norm_workspace(as_group_norm(a), gpu);
}

void concat_group_norm(const ConcatGroupNormArgs& a, Launcher& launcher) {
  run_group_norm(as_group_norm(a), {a.b, a.ca}, launcher);
}

}  // namespace tintype::cuda
