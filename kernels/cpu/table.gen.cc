// Generated from lib/graph/ops by scripts/generate-args.ts. Do not edit.

// Compiled once per instruction set, as all of kernels/cpu: TINTYPE_ISA is its name.
#include "table.gen.h"

#define TINTYPE_STRING(x) #x
#define TINTYPE_NAME(x) TINTYPE_STRING(x)

namespace tintype::TINTYPE_ISA {

void linear(const LinearArgs&, const Exec&);
ScratchSize linear_scratch(const LinearArgs&);
void linear_geglu(const LinearGegluArgs&, const Exec&);
ScratchSize linear_geglu_scratch(const LinearGegluArgs&);
void projections(const ProjectionsArgs&, const Exec&);
ScratchSize projections_scratch(const ProjectionsArgs&);
void conv2d(const Conv2dArgs&, const Exec&);
ScratchSize conv2d_scratch(const Conv2dArgs&);
void upsample_conv2d(const UpsampleConv2dArgs&, const Exec&);
ScratchSize upsample_conv2d_scratch(const UpsampleConv2dArgs&);
void attention(const AttentionArgs&, const Exec&);
ScratchSize attention_scratch(const AttentionArgs&);
void match_tokens(const MatchTokensArgs&, const Exec&);
ScratchSize match_tokens_scratch(const MatchTokensArgs&);
void merge_tokens(const MergeTokensArgs&, const Exec&);
ScratchSize merge_tokens_scratch(const MergeTokensArgs&);
void unmerge_tokens(const UnmergeTokensArgs&, const Exec&);
ScratchSize unmerge_tokens_scratch(const UnmergeTokensArgs&);
void group_norm(const GroupNormArgs&, const Exec&);
ScratchSize group_norm_scratch(const GroupNormArgs&);
void group_factors(const GroupFactorsArgs&, const Exec&);
ScratchSize group_factors_scratch(const GroupFactorsArgs&);
void layer_norm(const LayerNormArgs&, const Exec&);
ScratchSize layer_norm_scratch(const LayerNormArgs&);
void activation(const ActivationArgs&, const Exec&);
ScratchSize activation_scratch(const ActivationArgs&);
void geglu(const GegluArgs&, const Exec&);
ScratchSize geglu_scratch(const GegluArgs&);
void embedding(const EmbeddingArgs&, const Exec&);
ScratchSize embedding_scratch(const EmbeddingArgs&);
void timestep_embedding(const TimestepEmbeddingArgs&, const Exec&);
ScratchSize timestep_embedding_scratch(const TimestepEmbeddingArgs&);
void add(const AddArgs&, const Exec&);
ScratchSize add_scratch(const AddArgs&);
void add_row_bias(const AddRowBiasArgs&, const Exec&);
ScratchSize add_row_bias_scratch(const AddRowBiasArgs&);
void scale(const ScaleArgs&, const Exec&);
ScratchSize scale_scratch(const ScaleArgs&);
void narrow(const NarrowArgs&, const Exec&);
ScratchSize narrow_scratch(const NarrowArgs&);
void widen(const WidenArgs&, const Exec&);
ScratchSize widen_scratch(const WidenArgs&);
void concat(const ConcatArgs&, const Exec&);
ScratchSize concat_scratch(const ConcatArgs&);
void concat_group_norm(const ConcatGroupNormArgs&, const Exec&);
ScratchSize concat_group_norm_scratch(const ConcatGroupNormArgs&);
void concat_linear(const ConcatLinearArgs&, const Exec&);
ScratchSize concat_linear_scratch(const ConcatLinearArgs&);
void tile(const TileArgs&, const Exec&);
ScratchSize tile_scratch(const TileArgs&);
void upsample(const UpsampleArgs&, const Exec&);
ScratchSize upsample_scratch(const UpsampleArgs&);
void to_pixels(const ToPixelsArgs&, const Exec&);
ScratchSize to_pixels_scratch(const ToPixelsArgs&);
void from_pixels(const FromPixelsArgs&, const Exec&);
ScratchSize from_pixels_scratch(const FromPixelsArgs&);
void sample_gaussian(const SampleGaussianArgs&, const Exec&);
ScratchSize sample_gaussian_scratch(const SampleGaussianArgs&);
void predict_clean(const PredictCleanArgs&, const Exec&);
ScratchSize predict_clean_scratch(const PredictCleanArgs&);
void dynamic_threshold(const DynamicThresholdArgs&, const Exec&);
ScratchSize dynamic_threshold_scratch(const DynamicThresholdArgs&);
void scheduler_step(const SchedulerStepArgs&, const Exec&);
ScratchSize scheduler_step_scratch(const SchedulerStepArgs&);
size_t packed_bytes(const MatrixShape&, DType);
void pack_matrix(const PackMatrix&, const Exec&);
void pack_pairs(const PackMatrix&, const Exec&);
bool quantize_matrix(const QuantizeMatrix&, const Exec&);
void widen_vector(const void* src, DType, float* dst, int64_t count);

extern const CpuKernels kernels;
const CpuKernels kernels = {
    TINTYPE_NAME(TINTYPE_ISA),
    {linear, linear_scratch},
    {linear_geglu, linear_geglu_scratch},
    {projections, projections_scratch},
    {conv2d, conv2d_scratch},
    {upsample_conv2d, upsample_conv2d_scratch},
    {attention, attention_scratch},
    {match_tokens, match_tokens_scratch},
    {merge_tokens, merge_tokens_scratch},
    {unmerge_tokens, unmerge_tokens_scratch},
    {group_norm, group_norm_scratch},
    {group_factors, group_factors_scratch},
    {layer_norm, layer_norm_scratch},
    {activation, activation_scratch},
    {geglu, geglu_scratch},
    {embedding, embedding_scratch},
    {timestep_embedding, timestep_embedding_scratch},
    {add, add_scratch},
    {add_row_bias, add_row_bias_scratch},
    {scale, scale_scratch},
    {narrow, narrow_scratch},
    {widen, widen_scratch},
    {concat, concat_scratch},
    {concat_group_norm, concat_group_norm_scratch},
    {concat_linear, concat_linear_scratch},
    {tile, tile_scratch},
    {upsample, upsample_scratch},
    {to_pixels, to_pixels_scratch},
    {from_pixels, from_pixels_scratch},
    {sample_gaussian, sample_gaussian_scratch},
    {predict_clean, predict_clean_scratch},
    {dynamic_threshold, dynamic_threshold_scratch},
    {scheduler_step, scheduler_step_scratch},
    packed_bytes,
    pack_matrix,
    pack_pairs,
    quantize_matrix,
    widen_vector,
};

}  // namespace tintype::TINTYPE_ISA
