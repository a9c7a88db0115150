// Where numbers become vectors: token and position tables, and the sinusoids of the timestep.
#include "elementwise.h"
#include "math.h"

namespace tintype::TINTYPE_ISA {

void embedding(const EmbeddingArgs& args, const Exec& exec) {
  const int64_t c = args.c;
  const int64_t last = args.rows - 1;
  with_elements(args.table, [&](auto* table) {
    with_elements(args.positions, [&](auto* positions) {
      parallel_rows(exec, args.m, c, [&](int64_t i) {
        const int64_t id = args.ids[i] < 0 ? 0 : args.ids[i] > last ? last : args.ids[i];
        const auto* token = table + id * c;
        const auto* position = positions ? positions + i % args.length * c : nullptr;
        float* y = args.y + i * c;
        each_vector(0, c, [=](int64_t j, auto lanes) {
          const Vec value = lanes.load(token + j);
          lanes.store(y + j, position ? value + lanes.load(position + j) : value);
        });
      });
    });
  });
}

// Frequency and angle are rounded to float, as diffusers does in fp32: an angle of 1000 is known to 3e-5
// only, and a better one would be another one. What follows the rounding is exact.
void timestep_embedding(const TimestepEmbeddingArgs& args, const Exec& exec) {
  constexpr double kLogPeriod = 9.210340371976184;  // ln 10000
  const int64_t half = args.dim / 2;
  parallel_rows(exec, args.m, args.dim * 16, [&](int64_t i) {
    float* y = args.y + i * args.dim;
    for (int64_t j = 0; j < half; j++) {
      const double exponent =
          static_cast<float>(-kLogPeriod * static_cast<double>(j) / (static_cast<double>(half) - args.shift));
      const float angle = args.t[i] * static_cast<float>(exp_double(exponent));
      const SinCos value = sin_cos_double(angle);
      y[j] = static_cast<float>(args.cos_first ? value.cos : value.sin);
      y[half + j] = static_cast<float>(args.cos_first ? value.sin : value.cos);
    }
    if (args.dim % 2) y[args.dim - 1] = 0;
  });
}

ScratchSize embedding_scratch(const EmbeddingArgs&) {
  return 0;
}
ScratchSize timestep_embedding_scratch(const TimestepEmbeddingArgs&) {
  return 0;
}

}  // namespace tintype::TINTYPE_ISA
