// One step of any linear sampler with classifier-free guidance, and the dynamic thresholding before it.
#include "elementwise.h"

namespace tintype::TINTYPE_ISA {
namespace {

const StepCoefficients& coefficients_of(const float* row) {
  return *reinterpret_cast<const StepCoefficients*>(row);
}

// The guided model output: uncond + g * (cond - uncond), or the only prediction there is.
struct Guided {
  const float* uncond;
  const float* cond;  // null without guidance
  float guidance;
  template <class Lanes>
  Vec load(int64_t i, Lanes lanes) const {
    const Vec base = lanes.load(uncond + i);
    return cond ? fma(broadcast(guidance), lanes.load(cond + i) - base, base) : base;
  }
};

// The element of rank `rank` among |x|, NaN last: a radix select by 11, 11 and 9 bits of the magnitude, which
// order as the numbers do. Three scans and no copy.
uint32_t select_magnitude(const float* x, int64_t count, int64_t rank, int32_t* histogram) {
  uint32_t prefix = 0;
  uint32_t known = 0;
  const int shifts[] = {20, 9, 0};
  for (const int shift : shifts) {
    const uint32_t digits = shift == 0 ? 511 : 2047;
    for (uint32_t digit = 0; digit <= digits; digit++) histogram[digit] = 0;
    for (int64_t i = 0; i < count; i++) {
      const uint32_t bits = __builtin_bit_cast(uint32_t, x[i]) & INT32_MAX;
      if ((bits & known) == prefix) histogram[(bits >> shift) & digits]++;
    }
    uint32_t digit = 0;
    while (rank >= histogram[digit]) rank -= histogram[digit++];
    prefix |= digit << shift;
    known |= digits << shift;
  }
  return prefix;
}

// The magnitude of rank `rank` + 1, given that of rank `rank`.
uint32_t next_magnitude(const float* x, int64_t count, int64_t rank, uint32_t value) {
  int64_t below = 0;
  uint32_t next = UINT32_MAX;
  for (int64_t i = 0; i < count; i++) {
    const uint32_t bits = __builtin_bit_cast(uint32_t, x[i]) & INT32_MAX;
    if (bits <= value) below++;
    if (bits > value && bits < next) next = bits;
  }
  return below > rank + 1 ? value : next;
}

// Linear interpolation between ranks, as numpy and torch.quantile do.
float quantile_magnitude(const float* x, int64_t count, float percentile, int32_t* histogram) {
  const double rank = static_cast<double>(percentile) * static_cast<double>(count - 1);
  const int64_t whole = static_cast<int64_t>(rank);
  const uint32_t low = select_magnitude(x, count, whole, histogram);
  const uint32_t high = whole + 1 < count ? next_magnitude(x, count, whole, low) : low;
  const double a = __builtin_bit_cast(float, low);
  const double b = __builtin_bit_cast(float, high);
  return static_cast<float>(a + (b - a) * (rank - static_cast<double>(whole)));
}

}  // namespace

void predict_clean(const PredictCleanArgs& args, const Exec& exec) {
  const StepCoefficients& by = coefficients_of(args.coefficients);
  const Guided model{args.model, args.copies == 2 ? args.model + args.count : nullptr, by.guidance};
  parallel_vectors(exec, args.count, [&](int64_t i, auto lanes) {
    const Vec latents = broadcast(by.clean_latents) * lanes.load(args.latents + i);
    lanes.store(args.y + i, fma(broadcast(by.clean_model), model.load(i, lanes), latents));
  });
}

void dynamic_threshold(const DynamicThresholdArgs& args, const Exec& exec) {
  parallel_for(exec, args.n, [&](int64_t picture, int thread) {
    const float* x = args.x + picture * args.count;
    float* y = args.y + picture * args.count;
    float s = quantile_magnitude(x, args.count, args.percentile, exec.scratch<int32_t>(thread));
    if (s < 1.0f) s = 1.0f;
    if (s > args.max) s = args.max;
    const Vec limit = broadcast(s);
    each_vector(0, args.count, [=](int64_t i, auto lanes) {
      lanes.store(y + i, min(limit, max(-limit, lanes.load(x + i))) / limit);
    });
  });
}

void scheduler_step(const SchedulerStepArgs& args, const Exec& exec) {
  const StepCoefficients& by = coefficients_of(args.coefficients);
  const float* by_history = args.coefficients + step_coefficients;
  const int64_t count = args.count;
  const Guided guided{args.model, args.copies == 2 ? args.model + count : nullptr, by.guidance};
  parallel_vectors(exec, count, [&](int64_t i, auto lanes) {
    const Vec x = lanes.load(args.latents + i);
    const Vec m = guided.load(i, lanes);
    // How far thresholding moved the predicted clean latents.
    Vec moved = broadcast(0.0f);
    if (args.clean) {
      const Vec predicted = fma(broadcast(by.clean_model), m, broadcast(by.clean_latents) * x);
      moved = lanes.load(args.clean + i) - predicted;
    }
    Vec next = fma(broadcast(by.model), m, broadcast(by.latents) * x);
    next = fma(broadcast(by.correction), moved, next);
    if (args.history) {
      for (int64_t h = 0; h < args.depth; h++) {
        next = fma(broadcast(by_history[h]), lanes.load(args.history + h * count + i), next);
      }
      if (args.new_history) {
        // From the oldest on: newHistory may be history.
        for (int64_t h = args.depth - 1; h > 0; h--) {
          lanes.store(args.new_history + h * count + i, lanes.load(args.history + (h - 1) * count + i));
        }
        const Vec remembered = fma(broadcast(by.remember_model), m, broadcast(by.remember_latents) * x);
        lanes.store(args.new_history + i, fma(broadcast(by.remember_correction), moved, remembered));
      }
    }
    if (args.noise) next = fma(broadcast(by.noise), lanes.load(args.noise + i), next);
    lanes.store(args.y + i, next);
  });
}

ScratchSize predict_clean_scratch(const PredictCleanArgs&) {
  return 0;
}
ScratchSize dynamic_threshold_scratch(const DynamicThresholdArgs&) {
  return 2048 * sizeof(int32_t);
}
ScratchSize scheduler_step_scratch(const SchedulerStepArgs&) {
  return 0;
}

}  // namespace tintype::TINTYPE_ISA
