// Generated from lib/graph/ops by scripts/generate-args.ts. Do not edit.

#pragma once
#include <cstddef>
#include <cstdint>

namespace tintype {

// i8 and bf16_pairs are for matrices alone, which are rounded to them when they are loaded: no value of a plan has them.
enum class DType : uint32_t { f32, f16, bf16, i32, u8, i8, bf16_pairs };
enum class Packing : uint32_t { raw, vector, matrix, gated, quartered, folded };

// A weight in its stored type: as in the file (raw), or packed (matrix, gated, quartered); a packed one may be in int8 or in pairs of bf16.
struct Weight {
  const void* data;
  DType dtype;
};

enum class Activation : uint32_t { none, silu, gelu, quick_gelu };
enum class ProductAlgorithm : uint32_t { direct, strassen };
enum class ConvAlgorithm : uint32_t { direct, winograd4, winograd6, strassen, contraction };
enum class Mask : uint32_t { none, causal };
enum class Arithmetic : uint32_t { f32, bf16 };

// What a row of coefficients begins with; the coefficients of the history follow.
struct StepCoefficients {
  float guidance, latents, model, noise, correction, remember_latents, remember_model, remember_correction, clean_latents, clean_model;
};
inline constexpr int64_t step_coefficients = 10;

enum class Opcode : uint32_t { linear, linear_geglu, projections, conv2d, upsample_conv2d, attention, match_tokens, merge_tokens, unmerge_tokens, group_norm, group_factors, layer_norm, activation, geglu, embedding, timestep_embedding, add, add_row_bias, scale, narrow, widen, concat, concat_group_norm, concat_linear, tile, upsample, to_pixels, from_pixels, sample_gaussian, predict_clean, dynamic_threshold, scheduler_step };

// y = f(x w^T + bias) + residual
struct LinearArgs {
  int64_t m, n, k;
  const float* x;  // (m, k)
  Weight w;  // (n, k)
  const float* bias;  // (n), or null
  const float* residual;  // (m, n), or null
  float* y;  // (m, n), may be residual
  Activation activation;
  ProductAlgorithm algorithm;
};

// y[i, j] = z[i, j] * gelu(z[i, n + j]), z = norm(x) w^T + bias; norm is the layer norm, without gamma and
//   beta nothing
struct LinearGegluArgs {
  int64_t m, n, n2, k;
  const float* x;  // (m, k)
  const float* gamma;  // (k), or null
  const float* beta;  // (k), or null
  Weight w;  // (n2, k)
  const float* bias;  // (n2), or null
  float* y;  // (m, n)
  float eps;
  ProductAlgorithm algorithm;
};

// y_i = f(norm(x) w_i^T + bias_i), layer by layer: those that are there are the first ones; norm is the layer
//   norm, without gamma and beta nothing
struct ProjectionsArgs {
  int64_t m, n, k;
  const float* x;  // (m, k)
  const float* gamma;  // (k), or null
  const float* beta;  // (k), or null
  Weight w0;  // (n, k)
  Weight w1;  // (n, k), or null
  Weight w2;  // (n, k), or null
  Weight w3;  // (n, k), or null
  Weight w4;  // (n, k), or null
  Weight w5;  // (n, k), or null
  const float* bias0;  // (n), or null
  const float* bias1;  // (n), or null
  const float* bias2;  // (n), or null
  const float* bias3;  // (n), or null
  const float* bias4;  // (n), or null
  const float* bias5;  // (n), or null
  float* y0;  // (m, n)
  float* y1;  // (m, n), or null
  float* y2;  // (m, n), or null
  float* y3;  // (m, n), or null
  float* y4;  // (m, n), or null
  float* y5;  // (m, n), or null
  float eps;
  Activation activation;
};

// y = f(conv(upsample(g((x - mean) * factor + shift)), w) + bias + rowBias) + residual; upsample repeats each
//   pixel, rowBias is per picture
struct Conv2dArgs {
  int64_t n, h, w, c, ho, wo, o, kh, kw, rows;
  const float* x;  // (n, h, w, c)
  const float* mean;  // (n, c), or null
  const float* factor;  // (n, c), or null
  const float* shift;  // (n, c), or null
  Weight weight;  // (o, c, kh, kw)
  const float* bias;  // (o), or null
  const float* row_bias;  // (rows, o), or null
  const float* residual;  // (n, ho, wo, o), or null
  float* y;  // (n, ho, wo, o), may be residual
  float* channel_mean;  // (n, o), or null
  float* channel_variance;  // (n, o), or null
  int32_t stride;
  int32_t pad_top;
  int32_t pad_left;
  int32_t pad_bottom;
  int32_t pad_right;
  int32_t upsample;
  Activation activation;
  Activation input_activation;
  ConvAlgorithm algorithm;
};

// y = f(conv(upsample(x), w) + bias); upsample repeats each pixel, and pads are 1
struct UpsampleConv2dArgs {
  int64_t n, h, w, c, ho, wo, o, kh, kw;
  const float* x;  // (n, h, w, c)
  Weight weight;  // (o, c, kh, kw)
  const float* bias;  // (o), or null
  float* y;  // (n, ho, wo, o)
  Activation activation;
};

// y = softmax(scale * q k^T) v for each picture and head; heads lie side by side in a row
struct AttentionArgs {
  int64_t n, lq, lk, c;
  const float* q;  // (n, lq, c)
  const float* k;  // (n, lk, c)
  const float* v;  // (n, lk, c)
  float* y;  // (n, lq, c)
  int32_t heads;
  float scale;
  Mask mask;
  Arithmetic arithmetic;
};

// rows[i, t]: the row that token t of picture i has after merging. Each window of 2x2 tokens keeps the one at
//   its corner (0 to 3, by rows; clamped). Of the others, the sources, the h * w - kept with the largest
//   cosine to a kept one of their picture go where that one goes; ties go to the first. All that stay have
//   rows in their own order
struct MatchTokensArgs {
  int64_t n, h, w, c, windows, kept;
  const float* x;  // (n, h, w, c)
  const int32_t* corners;  // (windows)
  int32_t* rows;  // (n, h, w)
};

// y[i, r] = the mean of all x[i, t] with rows[i, t] = r, or 0 where there is none
struct MergeTokensArgs {
  int64_t n, hw, c, kept;
  const float* x;  // (n, hw, c)
  const int32_t* rows;  // (n, hw)
  float* y;  // (n, kept, c)
};

// y[i, t] = residual[i, t] + x[i, rows[i, t]]; rows outside x are clamped to it
struct UnmergeTokensArgs {
  int64_t n, hw, c, kept;
  const float* x;  // (n, kept, c)
  const int32_t* rows;  // (n, hw)
  const float* residual;  // (n, hw, c)
  float* y;  // (n, hw, c), may be residual
};

// y = f((x - mean) / sqrt(var + eps) * gamma + beta), mean and variance per picture and channel group
struct GroupNormArgs {
  int64_t n, hw, c;
  const float* x;  // (n, hw, c)
  const float* gamma;  // (c)
  const float* beta;  // (c)
  float* y;  // (n, hw, c)
  int32_t groups;
  float eps;
  Activation activation;
};

// mean, factor = gamma / sqrt(var + eps), shift = beta, of x or of what is known of its channels: group
//   normalisation is (x - mean) * factor + shift; a kernel may move the rounding of mean to shift
struct GroupFactorsArgs {
  int64_t n, hw, c;
  const float* x;  // (n, hw, c), or null
  const float* channel_mean;  // (n, c), or null
  const float* channel_variance;  // (n, c), or null
  const float* gamma;  // (c)
  const float* beta;  // (c)
  float* mean;  // (n, c)
  float* factor;  // (n, c)
  float* shift;  // (n, c)
  int32_t groups;
  float eps;
};

// y = (x - mean) / sqrt(var + eps) * gamma + beta, mean and variance per row
struct LayerNormArgs {
  int64_t m, c;
  const float* x;  // (m, c)
  const float* gamma;  // (c)
  const float* beta;  // (c)
  float* y;  // (m, c), may be x
  float eps;
};

// y = f(x); silu x*sigmoid(x), gelu x*Phi(x) with the exact erf, quick_gelu x*sigmoid(1.702x)
struct ActivationArgs {
  int64_t count;
  const float* x;  // (count)
  float* y;  // (count), may be x
  Activation activation;
};

// y[i, j] = x[i, j] * gelu(x[i, n + j]) (Shazeer, "GLU Variants Improve Transformer", 2020)
struct GegluArgs {
  int64_t m, n, n2;
  const float* x;  // (m, n2)
  float* y;  // (m, n)
};

// y[i] = table[ids[i]] + positions[i mod length]; ids outside the table are clamped to it
struct EmbeddingArgs {
  int64_t m, c, rows, length;
  const int32_t* ids;  // (m)
  Weight table;  // (rows, c)
  Weight positions;  // (length, c), or null
  float* y;  // (m, c)
};

// y[i] = [sin(t_i w), cos(t_i w)], w_j = 10000^(-j / (dim/2 - shift)) (Ho et al., 2020, as in diffusers)
struct TimestepEmbeddingArgs {
  int64_t m, dim;
  const float* t;  // (m)
  float* y;  // (m, dim)
  int32_t cos_first;
  float shift;
};

// y = a + b
struct AddArgs {
  int64_t count;
  const float* a;  // (count)
  const float* b;  // (count)
  float* y;  // (count), may be a or b
};

// y[i, p, j] = x[i, p, j] + rowBias[i, j], with one row of rowBias for each picture or for all
struct AddRowBiasArgs {
  int64_t n, hw, c, rows;
  const float* x;  // (n, hw, c)
  const float* row_bias;  // (rows, c)
  float* y;  // (n, hw, c), may be x
};

// y = factor * by[0] * x, by = 1 where absent
struct ScaleArgs {
  int64_t count, one;
  const float* x;  // (count)
  const float* by;  // (one), or null
  float* y;  // (count), may be x
  float factor;
};

// y = x, rounded to what the device computes in (lower-precision.ts)
struct NarrowArgs {
  int64_t count;
  const float* x;  // (count)
  float* y;  // (count)
};

// y = x in float32
struct WidenArgs {
  int64_t count;
  const float* x;  // (count)
  float* y;  // (count)
};

// y[i] = [a[i], b[i]] along the channels
struct ConcatArgs {
  int64_t m, ca, cb, c;
  const float* a;  // (m, ca)
  const float* b;  // (m, cb)
  float* y;  // (m, c)
};

// y = f(group normalisation of [a, b] along the channels)
struct ConcatGroupNormArgs {
  int64_t n, hw, ca, cb, c;
  const float* a;  // (n, hw, ca)
  const float* b;  // (n, hw, cb)
  const float* gamma;  // (c)
  const float* beta;  // (c)
  float* y;  // (n, hw, c)
  int32_t groups;
  float eps;
  Activation activation;
};

// y[i] = [a[i], b[i]] w^T + bias + residual[i]
struct ConcatLinearArgs {
  int64_t m, n, ca, cb, k;
  const float* a;  // (m, ca)
  const float* b;  // (m, cb)
  Weight w;  // (n, k)
  const float* bias;  // (n), or null
  const float* residual;  // (m, n), or null
  float* y;  // (m, n), may be residual
};

// y = x, times times over, one copy after the other
struct TileArgs {
  int64_t times, count;
  const float* x;  // (count)
  float* y;  // (times, count)
};

// y[i, y, x] = x[i, y / 2, x / 2]: every pixel twice in both directions, the last row or column once if odd
struct UpsampleArgs {
  int64_t n, h, w, c, ho, wo;
  const float* x;  // (n, h, w, c)
  float* y;  // (n, ho, wo, c)
};

// y = round(255 * clamp(x / 2 + 1/2, 0, 1)), halves to even, NaN gives 0
struct ToPixelsArgs {
  int64_t count;
  const float* x;  // (count)
  uint8_t* y;  // (count)
};

// y = x / 127.5 - 1
struct FromPixelsArgs {
  int64_t count;
  const uint8_t* x;  // (count)
  float* y;  // (count)
};

// y = factor * (mean + exp(clamp(logvar, -30, 20) / 2) * noise); a row of moments is [mean, logvar]
struct SampleGaussianArgs {
  int64_t m, c, c2;
  const float* moments;  // (m, c2)
  const float* noise;  // (m, c), or null
  float* y;  // (m, c)
  float factor;
};

// y = cleanLatents * latents + cleanModel * m, m the guided model output
struct PredictCleanArgs {
  int64_t count, copies, width;
  const float* latents;  // (count)
  const float* model;  // (copies, count)
  const float* coefficients;  // (width)
  float* y;  // (count)
};

// y = clamp(x, -s, s) / s, s = clamp(percentile of |x| per picture, 1, max) (Saharia et al., 2022, section
//   2.3)
struct DynamicThresholdArgs {
  int64_t n, count;
  const float* x;  // (n, count)
  float* y;  // (n, count)
  float percentile;
  float max;
};

// x' = latents*x + model*m + correction*d + sum(history_i * h_i) + noise*z, the history gets
//   rememberLatents*x + rememberModel*m + rememberCorrection*d in front; m is the guided model output, d =
//   clean - (cleanLatents*x + cleanModel*m) where clean is given, else 0
struct SchedulerStepArgs {
  int64_t count, copies, width, depth;
  const float* latents;  // (count)
  const float* model;  // (copies, count)
  const float* coefficients;  // (width)
  const float* clean;  // (count), or null
  const float* history;  // (depth, count), or null
  const float* noise;  // (count), or null
  float* y;  // (count), may be latents
  float* new_history;  // (depth, count), or null, may be history
};

}  // namespace tintype
