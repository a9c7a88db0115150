// Generated from lib/graph/ops by scripts/generate-args.ts. Do not edit.

#pragma once
#include "../args.gen.h"
#include "../exec.h"
#include "../pack.h"

namespace tintype {

template <class Args>
struct Kernel {
  void (*run)(const Args&, const Exec&);
  ScratchSize (*scratch)(const Args&);
};

// Every CPU kernel, compiled for one instruction set.
struct CpuKernels {
  const char* isa;
  Kernel<LinearArgs> linear;
  Kernel<LinearGegluArgs> linear_geglu;
  Kernel<ProjectionsArgs> projections;
  Kernel<Conv2dArgs> conv2d;
  Kernel<UpsampleConv2dArgs> upsample_conv2d;
  Kernel<AttentionArgs> attention;
  Kernel<MatchTokensArgs> match_tokens;
  Kernel<MergeTokensArgs> merge_tokens;
  Kernel<UnmergeTokensArgs> unmerge_tokens;
  Kernel<GroupNormArgs> group_norm;
  Kernel<GroupFactorsArgs> group_factors;
  Kernel<LayerNormArgs> layer_norm;
  Kernel<ActivationArgs> activation;
  Kernel<GegluArgs> geglu;
  Kernel<EmbeddingArgs> embedding;
  Kernel<TimestepEmbeddingArgs> timestep_embedding;
  Kernel<AddArgs> add;
  Kernel<AddRowBiasArgs> add_row_bias;
  Kernel<ScaleArgs> scale;
  Kernel<NarrowArgs> narrow;
  Kernel<WidenArgs> widen;
  Kernel<ConcatArgs> concat;
  Kernel<ConcatGroupNormArgs> concat_group_norm;
  Kernel<ConcatLinearArgs> concat_linear;
  Kernel<TileArgs> tile;
  Kernel<UpsampleArgs> upsample;
  Kernel<ToPixelsArgs> to_pixels;
  Kernel<FromPixelsArgs> from_pixels;
  Kernel<SampleGaussianArgs> sample_gaussian;
  Kernel<PredictCleanArgs> predict_clean;
  Kernel<DynamicThresholdArgs> dynamic_threshold;
  Kernel<SchedulerStepArgs> scheduler_step;
  size_t (*packed_bytes)(const MatrixShape&, DType);
  void (*pack_matrix)(const PackMatrix&, const Exec&);
  void (*pack_pairs)(const PackMatrix&, const Exec&);
  bool (*quantize_matrix)(const QuantizeMatrix&, const Exec&);
  void (*widen_vector)(const void* src, DType, float* dst, int64_t count);
};

}  // namespace tintype
