// The host part of every kernel: it decides about variants and grids, and launches.
#pragma once
#include "../args.gen.h"
#include "launch.h"

namespace tintype::cuda {

void linear(const LinearArgs&, Launcher&);
void linear_geglu(const LinearGegluArgs&, Launcher&);
void projections(const ProjectionsArgs&, Launcher&);
void conv2d(const Conv2dArgs&, Launcher&);
void upsample_conv2d(const UpsampleConv2dArgs&, Launcher&);
void attention(const AttentionArgs&, Launcher&);
void match_tokens(const MatchTokensArgs&, Launcher&);
void merge_tokens(const MergeTokensArgs&, Launcher&);
void unmerge_tokens(const UnmergeTokensArgs&, Launcher&);
void group_norm(const GroupNormArgs&, Launcher&);
void group_factors(const GroupFactorsArgs&, Launcher&);
void layer_norm(const LayerNormArgs&, Launcher&);
void activation(const ActivationArgs&, Launcher&);
void geglu(const GegluArgs&, Launcher&);
void embedding(const EmbeddingArgs&, Launcher&);
void timestep_embedding(const TimestepEmbeddingArgs&, Launcher&);
void add(const AddArgs&, Launcher&);
void add_row_bias(const AddRowBiasArgs&, Launcher&);
void scale(const ScaleArgs&, Launcher&);
void narrow(const NarrowArgs&, Launcher&);
void widen(const WidenArgs&, Launcher&);
void concat(const ConcatArgs&, Launcher&);
void concat_group_norm(const ConcatGroupNormArgs&, Launcher&);
void concat_linear(const ConcatLinearArgs&, Launcher&);
void tile(const TileArgs&, Launcher&);
void upsample(const UpsampleArgs&, Launcher&);
void to_pixels(const ToPixelsArgs&, Launcher&);
void from_pixels(const FromPixelsArgs&, Launcher&);
void sample_gaussian(const SampleGaussianArgs&, Launcher&);
void predict_clean(const PredictCleanArgs&, Launcher&);
void dynamic_threshold(const DynamicThresholdArgs&, Launcher&);
void scheduler_step(const SchedulerStepArgs&, Launcher&);

size_t linear_workspace(const LinearArgs&, const Gpu&);
size_t linear_geglu_workspace(const LinearGegluArgs&, const Gpu&);
size_t projections_workspace(const ProjectionsArgs&, const Gpu&);
size_t conv2d_workspace(const Conv2dArgs&, const Gpu&);
size_t upsample_conv2d_workspace(const UpsampleConv2dArgs&, const Gpu&);
size_t match_tokens_workspace(const MatchTokensArgs&, const Gpu&);
size_t group_norm_workspace(const GroupNormArgs&, const Gpu&);
size_t group_factors_workspace(const GroupFactorsArgs&, const Gpu&);
size_t concat_group_norm_workspace(const ConcatGroupNormArgs&, const Gpu&);
size_t concat_linear_workspace(const ConcatLinearArgs&, const Gpu&);

template <class Args>
struct Kernel {
  void (*run)(const Args&, Launcher&);
  // Bytes that the launcher must offer.
  size_t (*workspace)(const Args&, const Gpu&) = [](const Args&, const Gpu&) -> size_t { return 0; };
};

// Named as the opcodes are, for visit_op.
struct Kernels {
  Kernel<LinearArgs> linear{cuda::linear, linear_workspace};
  Kernel<LinearGegluArgs> linear_geglu{cuda::linear_geglu, linear_geglu_workspace};
  Kernel<ProjectionsArgs> projections{cuda::projections, projections_workspace};
  Kernel<Conv2dArgs> conv2d{cuda::conv2d, conv2d_workspace};
  Kernel<UpsampleConv2dArgs> upsample_conv2d{cuda::upsample_conv2d, upsample_conv2d_workspace};
  Kernel<AttentionArgs> attention{cuda::attention};
  Kernel<MatchTokensArgs> match_tokens{cuda::match_tokens, match_tokens_workspace};
  Kernel<MergeTokensArgs> merge_tokens{cuda::merge_tokens};
  Kernel<UnmergeTokensArgs> unmerge_tokens{cuda::unmerge_tokens};
  Kernel<GroupNormArgs> group_norm{cuda::group_norm, group_norm_workspace};
  Kernel<GroupFactorsArgs> group_factors{cuda::group_factors, group_factors_workspace};
  Kernel<LayerNormArgs> layer_norm{cuda::layer_norm};
  Kernel<ActivationArgs> activation{cuda::activation};
  Kernel<GegluArgs> geglu{cuda::geglu};
  Kernel<EmbeddingArgs> embedding{cuda::embedding};
  Kernel<TimestepEmbeddingArgs> timestep_embedding{cuda::timestep_embedding};
  Kernel<AddArgs> add{cuda::add};
  Kernel<AddRowBiasArgs> add_row_bias{cuda::add_row_bias};
  Kernel<ScaleArgs> scale{cuda::scale};
  Kernel<NarrowArgs> narrow{cuda::narrow};
  Kernel<WidenArgs> widen{cuda::widen};
  Kernel<ConcatArgs> concat{cuda::concat};
  Kernel<ConcatGroupNormArgs> concat_group_norm{cuda::concat_group_norm, concat_group_norm_workspace};
  Kernel<ConcatLinearArgs> concat_linear{cuda::concat_linear, concat_linear_workspace};
  Kernel<TileArgs> tile{cuda::tile};
  Kernel<UpsampleArgs> upsample{cuda::upsample};
  Kernel<ToPixelsArgs> to_pixels{cuda::to_pixels};
  Kernel<FromPixelsArgs> from_pixels{cuda::from_pixels};
  Kernel<SampleGaussianArgs> sample_gaussian{cuda::sample_gaussian};
  Kernel<PredictCleanArgs> predict_clean{cuda::predict_clean};
  Kernel<DynamicThresholdArgs> dynamic_threshold{cuda::dynamic_threshold};
  Kernel<SchedulerStepArgs> scheduler_step{cuda::scheduler_step};
};

}  // namespace tintype::cuda
