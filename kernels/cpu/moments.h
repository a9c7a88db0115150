// Mean and spread of sets of numbers, and of sets that are joined.
#pragma once
#include <cstdint>

namespace tintype::TINTYPE_ISA {
namespace {

struct Moments {
  double mean, squares;  // squares: the sum of squared deviations from the mean
};

// Merges the moments of `more` elements into those of `count`, for each of `sets` sets (Chan, Golub and
// LeVeque, 1983, equation 2.1).
inline void merge(Moments* into, int64_t count, const Moments* from, int64_t more, int64_t sets) {
  const double share = static_cast<double>(more) / static_cast<double>(count + more);
  const double weight = static_cast<double>(count) * share;
  for (int64_t set = 0; set < sets; set++) {
    const double delta = from[set].mean - into[set].mean;
    into[set].mean += delta * share;
    into[set].squares += from[set].squares + delta * delta * weight;
  }
}

// Joins sets of as many elements each. Their means are relative to an origin near them, so that their spread
// is summed without cancellation.
struct EqualSets {
  double origin;
  double means = 0, spread = 0, within = 0;
  explicit EqualSets(double near) : origin(near) {}
  void add(double mean, double squares) {
    within += squares;
    means += mean;
    spread += mean * mean;
  }
  Moments joined(int64_t sets, int64_t elements) const {
    const double mean = means / static_cast<double>(sets);
    const double between = spread - mean * means;
    return {origin + mean, within + between * static_cast<double>(elements)};
  }
};

}  // namespace
}  // namespace tintype::TINTYPE_ISA
