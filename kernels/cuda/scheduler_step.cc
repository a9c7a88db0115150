#include <cmath>

#include "table.h"
#include "threshold.h"

namespace tintype::cuda {

namespace {

constexpr uint32_t step_threads = 256;

Grid one_each(int64_t count) {
  return {static_cast<uint32_t>(ceil_div(count, step_threads))};
}

}  // namespace

void predict_clean(const PredictCleanArgs& a, Launcher& launcher) {
  launcher.run("predict_clean", one_each(a.count), step_threads, a);
}

void scheduler_step(const SchedulerStepArgs& a, Launcher& launcher) {
  launcher.run("scheduler_step", one_each(a.count), step_threads, a);
}

void dynamic_threshold(const DynamicThresholdArgs& a, Launcher& launcher) {
  const double rank = static_cast<double>(a.percentile) * static_cast<double>(a.count - 1);
  const double low = std::floor(rank);
  const ThresholdArgs args = {a, static_cast<int32_t>(low), static_cast<float>(rank - low)};
  launcher.run("dynamic_threshold", {static_cast<uint32_t>(a.n)}, threshold_threads, args);
}

}  // namespace tintype::cuda
