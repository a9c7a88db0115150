// The sampler's part of a step, all in float32 but the model's output. Bandwidth, and latency: latents are
// small.
#include "chunk.cuh"
#include "math.cuh"
#include "radix_selection.cuh"
#include "threshold.h"

namespace tintype::cuda {

namespace {

__device__ float guided(const float* model, int64_t i, int64_t count, int64_t copies, float guidance) {
  const Element* m = elements(model);
  const float uncond = to_float(m[i]);
  return copies == 1 ? uncond : uncond + guidance * (to_float(m[count + i]) - uncond);
}

__device__ int64_t my_index() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

}  // namespace

extern "C" __global__ void predict_clean(PredictCleanArgs a) {
  const int64_t i = my_index();
  if (i >= a.count) return;
  const StepCoefficients& c = *reinterpret_cast<const StepCoefficients*>(a.coefficients);
  const float m = guided(a.model, i, a.count, a.copies, c.guidance);
  a.y[i] = c.clean_latents * a.latents[i] + c.clean_model * m;
}

extern "C" __global__ void scheduler_step(SchedulerStepArgs a) {
  const int64_t i = my_index();
  if (i >= a.count) return;
  const StepCoefficients& c = *reinterpret_cast<const StepCoefficients*>(a.coefficients);
  const float* of_history = a.coefficients + step_coefficients;
  const float x = a.latents[i];
  const float m = guided(a.model, i, a.count, a.copies, c.guidance);
  const float d = a.clean ? a.clean[i] - (c.clean_latents * x + c.clean_model * m) : 0.f;
  float next = c.latents * x + c.model * m + c.correction * d;
  if (a.history) {
    for (int h = 0; h < a.depth; h++) next += of_history[h] * a.history[h * a.count + i];
  }
  if (a.noise) next += c.noise * a.noise[i];
  if (a.history && a.new_history) {
    for (int64_t h = a.depth - 1; h > 0; h--)
      a.new_history[h * a.count + i] = a.history[(h - 1) * a.count + i];
    a.new_history[i] = c.remember_latents * x + c.remember_model * m + c.remember_correction * d;
  }
  a.y[i] = next;
}

namespace {

struct Selection : RadixSelection {
  uint32_t next;  // the smallest number above the one of that rank
};

// |x| as bits, which are ordered as the numbers are, NaN last.
__device__ uint32_t magnitude(float x) {
  return __float_as_uint(x) & 0x7fffffff;
}

}  // namespace

// A block for each picture. Radix selection: four passes over the picture, which stays in the L2 cache.
extern "C" __global__ void __launch_bounds__(threshold_threads) dynamic_threshold(ThresholdArgs a) {
  __shared__ Selection s;
  const int count = static_cast<int>(a.op.count);
  const float* x = a.op.x + blockIdx.x * a.op.count;
  float* y = a.op.y + blockIdx.x * a.op.count;
  if (threadIdx.x == 0) s.next = 0xffffffff;
  radix_select<threshold_threads>(s, count, static_cast<uint32_t>(a.rank),
                                  [=](int i) { return magnitude(x[i]); });
  const uint32_t low = s.prefix;
  for (int i = threadIdx.x; i < count; i += threshold_threads) {
    if (magnitude(x[i]) > low) atomicMin(&s.next, magnitude(x[i]));
  }
  __syncthreads();
  // The number of the next rank is the same one where there are more of it, and where there is none.
  const uint32_t high = s.rank + 1 < s.equal || s.next == 0xffffffff ? low : s.next;
  const float quantile = __uint_as_float(low) + (__uint_as_float(high) - __uint_as_float(low)) * a.fraction;
  const float bound = quantile < 1.f ? 1.f : quantile > a.op.max ? a.op.max : quantile;
  for (int i = threadIdx.x; i < count; i += threshold_threads) {
    const float v = x[i];
    y[i] = (v < -bound ? -bound : v > bound ? bound : v) / bound;
  }
}

}  // namespace tintype::cuda
