// Generated from lib/graph/ops by scripts/generate-args.ts. Do not edit.

#pragma once
#include <bit>

#include "../kernels/args.gen.h"

namespace tintype {

enum class Role : uint32_t { input, output, weight };
enum class ParamType : uint32_t { int_, float_ };

// An operand holds the product of these dimensions (positions in the op's list) of elements.
struct OperandInfo {
  const char* name;
  Role role;
  DType dtype;
  Packing packing;
  bool optional;
  bool keeps_float;  // where others are of half precision
  int rank;
  int dims[4];
};

struct ParamInfo {
  const char* name;
  ParamType type;
  int64_t min, max;
};

// In a plan an op is its opcode, then one word for each dimension, operand and parameter, in this order.
struct OpInfo {
  const char* name;
  int dims;
  OperandInfo operands[21];
  int operand_count;
  ParamInfo params[9];
  int param_count;
  constexpr int words() const { return dims + operand_count + param_count; }
};

inline constexpr OpInfo op_infos[] = {
    {"linear", 3, {{"x", Role::input, DType::f32, Packing::raw, false, false, 2, {0, 2}},
      {"w", Role::weight, DType::f32, Packing::matrix, false, false, 2, {1, 2}},
      {"bias", Role::weight, DType::f32, Packing::vector, true, false, 1, {1}},
      {"residual", Role::input, DType::f32, Packing::raw, true, false, 2, {0, 1}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 2, {0, 1}}}, 5, {{"activation", ParamType::int_, 0, 3}, {"algorithm", ParamType::int_, 0, 1}}, 2},
    {"linearGeglu", 4, {{"x", Role::input, DType::f32, Packing::raw, false, false, 2, {0, 3}},
      {"gamma", Role::weight, DType::f32, Packing::folded, true, false, 1, {3}},
      {"beta", Role::weight, DType::f32, Packing::folded, true, false, 1, {3}},
      {"w", Role::weight, DType::f32, Packing::gated, false, false, 2, {2, 3}},
      {"bias", Role::weight, DType::f32, Packing::vector, true, false, 1, {2}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 2, {0, 1}}}, 6, {{"eps", ParamType::float_, 0, 2147483647}, {"algorithm", ParamType::int_, 0, 1}}, 2},
    {"projections", 3, {{"x", Role::input, DType::f32, Packing::raw, false, false, 2, {0, 2}},
      {"gamma", Role::weight, DType::f32, Packing::folded, true, false, 1, {2}},
      {"beta", Role::weight, DType::f32, Packing::folded, true, false, 1, {2}},
      {"w0", Role::weight, DType::f32, Packing::matrix, false, false, 2, {1, 2}},
      {"w1", Role::weight, DType::f32, Packing::matrix, true, false, 2, {1, 2}},
      {"w2", Role::weight, DType::f32, Packing::matrix, true, false, 2, {1, 2}},
      {"w3", Role::weight, DType::f32, Packing::matrix, true, false, 2, {1, 2}},
      {"w4", Role::weight, DType::f32, Packing::matrix, true, false, 2, {1, 2}},
      {"w5", Role::weight, DType::f32, Packing::matrix, true, false, 2, {1, 2}},
      {"bias0", Role::weight, DType::f32, Packing::vector, true, false, 1, {1}},
      {"bias1", Role::weight, DType::f32, Packing::vector, true, false, 1, {1}},
      {"bias2", Role::weight, DType::f32, Packing::vector, true, false, 1, {1}},
      {"bias3", Role::weight, DType::f32, Packing::vector, true, false, 1, {1}},
      {"bias4", Role::weight, DType::f32, Packing::vector, true, false, 1, {1}},
      {"bias5", Role::weight, DType::f32, Packing::vector, true, false, 1, {1}},
      {"y0", Role::output, DType::f32, Packing::raw, false, false, 2, {0, 1}},
      {"y1", Role::output, DType::f32, Packing::raw, true, false, 2, {0, 1}},
      {"y2", Role::output, DType::f32, Packing::raw, true, false, 2, {0, 1}},
      {"y3", Role::output, DType::f32, Packing::raw, true, false, 2, {0, 1}},
      {"y4", Role::output, DType::f32, Packing::raw, true, false, 2, {0, 1}},
      {"y5", Role::output, DType::f32, Packing::raw, true, false, 2, {0, 1}}}, 21, {{"eps", ParamType::float_, 0, 2147483647}, {"activation", ParamType::int_, 0, 3}}, 2},
    {"conv2d", 10, {{"x", Role::input, DType::f32, Packing::raw, false, false, 4, {0, 1, 2, 3}},
      {"mean", Role::input, DType::f32, Packing::raw, true, true, 2, {0, 3}},
      {"factor", Role::input, DType::f32, Packing::raw, true, true, 2, {0, 3}},
      {"shift", Role::input, DType::f32, Packing::raw, true, true, 2, {0, 3}},
      {"weight", Role::weight, DType::f32, Packing::matrix, false, false, 4, {6, 3, 7, 8}},
      {"bias", Role::weight, DType::f32, Packing::vector, true, false, 1, {6}},
      {"rowBias", Role::input, DType::f32, Packing::raw, true, false, 2, {9, 6}},
      {"residual", Role::input, DType::f32, Packing::raw, true, false, 4, {0, 4, 5, 6}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 4, {0, 4, 5, 6}},
      {"channelMean", Role::output, DType::f32, Packing::raw, true, true, 2, {0, 6}},
      {"channelVariance", Role::output, DType::f32, Packing::raw, true, true, 2, {0, 6}}}, 11, {{"stride", ParamType::int_, 1, 2147483647}, {"padTop", ParamType::int_, 0, 2147483647}, {"padLeft", ParamType::int_, 0, 2147483647}, {"padBottom", ParamType::int_, 0, 2147483647}, {"padRight", ParamType::int_, 0, 2147483647}, {"upsample", ParamType::int_, 1, 2147483647}, {"activation", ParamType::int_, 0, 3}, {"inputActivation", ParamType::int_, 0, 3}, {"algorithm", ParamType::int_, 0, 4}}, 9},
    {"upsampleConv2d", 9, {{"x", Role::input, DType::f32, Packing::raw, false, false, 4, {0, 1, 2, 3}},
      {"weight", Role::weight, DType::f32, Packing::quartered, false, false, 4, {6, 3, 7, 8}},
      {"bias", Role::weight, DType::f32, Packing::vector, true, false, 1, {6}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 4, {0, 4, 5, 6}}}, 4, {{"activation", ParamType::int_, 0, 3}}, 1},
    {"attention", 4, {{"q", Role::input, DType::f32, Packing::raw, false, false, 3, {0, 1, 3}},
      {"k", Role::input, DType::f32, Packing::raw, false, false, 3, {0, 2, 3}},
      {"v", Role::input, DType::f32, Packing::raw, false, false, 3, {0, 2, 3}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 3, {0, 1, 3}}}, 4, {{"heads", ParamType::int_, 1, 2147483647}, {"scale", ParamType::float_, 0, 2147483647}, {"mask", ParamType::int_, 0, 1}, {"arithmetic", ParamType::int_, 0, 1}}, 4},
    {"matchTokens", 6, {{"x", Role::input, DType::f32, Packing::raw, false, false, 4, {0, 1, 2, 3}},
      {"corners", Role::input, DType::i32, Packing::raw, false, false, 1, {4}},
      {"rows", Role::output, DType::i32, Packing::raw, false, false, 3, {0, 1, 2}}}, 3, {}, 0},
    {"mergeTokens", 4, {{"x", Role::input, DType::f32, Packing::raw, false, false, 3, {0, 1, 2}},
      {"rows", Role::input, DType::i32, Packing::raw, false, false, 2, {0, 1}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 3, {0, 3, 2}}}, 3, {}, 0},
    {"unmergeTokens", 4, {{"x", Role::input, DType::f32, Packing::raw, false, false, 3, {0, 3, 2}},
      {"rows", Role::input, DType::i32, Packing::raw, false, false, 2, {0, 1}},
      {"residual", Role::input, DType::f32, Packing::raw, false, false, 3, {0, 1, 2}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 3, {0, 1, 2}}}, 4, {}, 0},
    {"groupNorm", 3, {{"x", Role::input, DType::f32, Packing::raw, false, false, 3, {0, 1, 2}},
      {"gamma", Role::weight, DType::f32, Packing::vector, false, false, 1, {2}},
      {"beta", Role::weight, DType::f32, Packing::vector, false, false, 1, {2}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 3, {0, 1, 2}}}, 4, {{"groups", ParamType::int_, 1, 2147483647}, {"eps", ParamType::float_, 0, 2147483647}, {"activation", ParamType::int_, 0, 3}}, 3},
    {"groupFactors", 3, {{"x", Role::input, DType::f32, Packing::raw, true, false, 3, {0, 1, 2}},
      {"channelMean", Role::input, DType::f32, Packing::raw, true, true, 2, {0, 2}},
      {"channelVariance", Role::input, DType::f32, Packing::raw, true, true, 2, {0, 2}},
      {"gamma", Role::weight, DType::f32, Packing::vector, false, false, 1, {2}},
      {"beta", Role::weight, DType::f32, Packing::vector, false, false, 1, {2}},
      {"mean", Role::output, DType::f32, Packing::raw, false, true, 2, {0, 2}},
      {"factor", Role::output, DType::f32, Packing::raw, false, true, 2, {0, 2}},
      {"shift", Role::output, DType::f32, Packing::raw, false, true, 2, {0, 2}}}, 8, {{"groups", ParamType::int_, 1, 2147483647}, {"eps", ParamType::float_, 0, 2147483647}}, 2},
    {"layerNorm", 2, {{"x", Role::input, DType::f32, Packing::raw, false, false, 2, {0, 1}},
      {"gamma", Role::weight, DType::f32, Packing::vector, false, false, 1, {1}},
      {"beta", Role::weight, DType::f32, Packing::vector, false, false, 1, {1}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 2, {0, 1}}}, 4, {{"eps", ParamType::float_, 0, 2147483647}}, 1},
    {"activation", 1, {{"x", Role::input, DType::f32, Packing::raw, false, false, 1, {0}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 1, {0}}}, 2, {{"activation", ParamType::int_, 0, 3}}, 1},
    {"geglu", 3, {{"x", Role::input, DType::f32, Packing::raw, false, false, 2, {0, 2}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 2, {0, 1}}}, 2, {}, 0},
    {"embedding", 4, {{"ids", Role::input, DType::i32, Packing::raw, false, false, 1, {0}},
      {"table", Role::weight, DType::f32, Packing::raw, false, false, 2, {2, 1}},
      {"positions", Role::weight, DType::f32, Packing::raw, true, false, 2, {3, 1}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 2, {0, 1}}}, 4, {}, 0},
    {"timestepEmbedding", 2, {{"t", Role::input, DType::f32, Packing::raw, false, true, 1, {0}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 2, {0, 1}}}, 2, {{"cosFirst", ParamType::int_, 0, 2147483647}, {"shift", ParamType::float_, 0, 2147483647}}, 2},
    {"add", 1, {{"a", Role::input, DType::f32, Packing::raw, false, false, 1, {0}},
      {"b", Role::input, DType::f32, Packing::raw, false, false, 1, {0}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 1, {0}}}, 3, {}, 0},
    {"addRowBias", 4, {{"x", Role::input, DType::f32, Packing::raw, false, false, 3, {0, 1, 2}},
      {"rowBias", Role::input, DType::f32, Packing::raw, false, false, 2, {3, 2}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 3, {0, 1, 2}}}, 3, {}, 0},
    {"scale", 2, {{"x", Role::input, DType::f32, Packing::raw, false, true, 1, {0}},
      {"by", Role::input, DType::f32, Packing::raw, true, true, 1, {1}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 1, {0}}}, 3, {{"factor", ParamType::float_, 0, 2147483647}}, 1},
    {"narrow", 1, {{"x", Role::input, DType::f32, Packing::raw, false, true, 1, {0}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 1, {0}}}, 2, {}, 0},
    {"widen", 1, {{"x", Role::input, DType::f32, Packing::raw, false, false, 1, {0}},
      {"y", Role::output, DType::f32, Packing::raw, false, true, 1, {0}}}, 2, {}, 0},
    {"concat", 4, {{"a", Role::input, DType::f32, Packing::raw, false, false, 2, {0, 1}},
      {"b", Role::input, DType::f32, Packing::raw, false, false, 2, {0, 2}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 2, {0, 3}}}, 3, {}, 0},
    {"concatGroupNorm", 5, {{"a", Role::input, DType::f32, Packing::raw, false, false, 3, {0, 1, 2}},
      {"b", Role::input, DType::f32, Packing::raw, false, false, 3, {0, 1, 3}},
      {"gamma", Role::weight, DType::f32, Packing::vector, false, false, 1, {4}},
      {"beta", Role::weight, DType::f32, Packing::vector, false, false, 1, {4}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 3, {0, 1, 4}}}, 5, {{"groups", ParamType::int_, 1, 2147483647}, {"eps", ParamType::float_, 0, 2147483647}, {"activation", ParamType::int_, 0, 3}}, 3},
    {"concatLinear", 5, {{"a", Role::input, DType::f32, Packing::raw, false, false, 2, {0, 2}},
      {"b", Role::input, DType::f32, Packing::raw, false, false, 2, {0, 3}},
      {"w", Role::weight, DType::f32, Packing::matrix, false, false, 2, {1, 4}},
      {"bias", Role::weight, DType::f32, Packing::vector, true, false, 1, {1}},
      {"residual", Role::input, DType::f32, Packing::raw, true, false, 2, {0, 1}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 2, {0, 1}}}, 6, {}, 0},
    {"tile", 2, {{"x", Role::input, DType::f32, Packing::raw, false, false, 1, {1}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 2, {0, 1}}}, 2, {}, 0},
    {"upsample", 6, {{"x", Role::input, DType::f32, Packing::raw, false, false, 4, {0, 1, 2, 3}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 4, {0, 4, 5, 3}}}, 2, {}, 0},
    {"toPixels", 1, {{"x", Role::input, DType::f32, Packing::raw, false, false, 1, {0}},
      {"y", Role::output, DType::u8, Packing::raw, false, false, 1, {0}}}, 2, {}, 0},
    {"fromPixels", 1, {{"x", Role::input, DType::u8, Packing::raw, false, false, 1, {0}},
      {"y", Role::output, DType::f32, Packing::raw, false, false, 1, {0}}}, 2, {}, 0},
    {"sampleGaussian", 3, {{"moments", Role::input, DType::f32, Packing::raw, false, false, 2, {0, 2}},
      {"noise", Role::input, DType::f32, Packing::raw, true, true, 2, {0, 1}},
      {"y", Role::output, DType::f32, Packing::raw, false, true, 2, {0, 1}}}, 3, {{"factor", ParamType::float_, 0, 2147483647}}, 1},
    {"predictClean", 3, {{"latents", Role::input, DType::f32, Packing::raw, false, true, 1, {0}},
      {"model", Role::input, DType::f32, Packing::raw, false, false, 2, {1, 0}},
      {"coefficients", Role::input, DType::f32, Packing::raw, false, true, 1, {2}},
      {"y", Role::output, DType::f32, Packing::raw, false, true, 1, {0}}}, 4, {}, 0},
    {"dynamicThreshold", 2, {{"x", Role::input, DType::f32, Packing::raw, false, true, 2, {0, 1}},
      {"y", Role::output, DType::f32, Packing::raw, false, true, 2, {0, 1}}}, 2, {{"percentile", ParamType::float_, 0, 2147483647}, {"max", ParamType::float_, 0, 2147483647}}, 2},
    {"schedulerStep", 4, {{"latents", Role::input, DType::f32, Packing::raw, false, true, 1, {0}},
      {"model", Role::input, DType::f32, Packing::raw, false, false, 2, {1, 0}},
      {"coefficients", Role::input, DType::f32, Packing::raw, false, true, 1, {2}},
      {"clean", Role::input, DType::f32, Packing::raw, true, true, 1, {0}},
      {"history", Role::input, DType::f32, Packing::raw, true, true, 2, {3, 0}},
      {"noise", Role::input, DType::f32, Packing::raw, true, true, 1, {0}},
      {"y", Role::output, DType::f32, Packing::raw, false, true, 1, {0}},
      {"newHistory", Role::output, DType::f32, Packing::raw, true, true, 2, {3, 0}}}, 8, {}, 0},
};
inline constexpr uint32_t op_count = 32;

// Calls f(kernel, args) with the kernel of an op and its decoded arguments. Operands must offer
// pointer(word) -> void* and weight(word) -> Weight.
template <class Kernels, class Operands, class F>
decltype(auto) visit_op(Opcode opcode, const uint32_t* w, const Kernels& kernels, const Operands& o, F&& f) {
  switch (opcode) {
    case Opcode::linear: {
      LinearArgs a;
      a.m = w[0];
      a.n = w[1];
      a.k = w[2];
      a.x = static_cast<const float*>(o.pointer(w[3]));
      a.w = o.weight(w[4]);
      a.bias = static_cast<const float*>(o.pointer(w[5]));
      a.residual = static_cast<const float*>(o.pointer(w[6]));
      a.y = static_cast<float*>(o.pointer(w[7]));
      a.activation = static_cast<Activation>(w[8]);
      a.algorithm = static_cast<ProductAlgorithm>(w[9]);
      return f(kernels.linear, a);
    }
    case Opcode::linear_geglu: {
      LinearGegluArgs a;
      a.m = w[0];
      a.n = w[1];
      a.n2 = w[2];
      a.k = w[3];
      a.x = static_cast<const float*>(o.pointer(w[4]));
      a.gamma = static_cast<const float*>(o.pointer(w[5]));
      a.beta = static_cast<const float*>(o.pointer(w[6]));
      a.w = o.weight(w[7]);
      a.bias = static_cast<const float*>(o.pointer(w[8]));
      a.y = static_cast<float*>(o.pointer(w[9]));
      a.eps = std::bit_cast<float>(w[10]);
      a.algorithm = static_cast<ProductAlgorithm>(w[11]);
      return f(kernels.linear_geglu, a);
    }
    case Opcode::projections: {
      ProjectionsArgs a;
      a.m = w[0];
      a.n = w[1];
      a.k = w[2];
      a.x = static_cast<const float*>(o.pointer(w[3]));
      a.gamma = static_cast<const float*>(o.pointer(w[4]));
      a.beta = static_cast<const float*>(o.pointer(w[5]));
      a.w0 = o.weight(w[6]);
      a.w1 = o.weight(w[7]);
      a.w2 = o.weight(w[8]);
      a.w3 = o.weight(w[9]);
      a.w4 = o.weight(w[10]);
      a.w5 = o.weight(w[11]);
      a.bias0 = static_cast<const float*>(o.pointer(w[12]));
      a.bias1 = static_cast<const float*>(o.pointer(w[13]));
      a.bias2 = static_cast<const float*>(o.pointer(w[14]));
      a.bias3 = static_cast<const float*>(o.pointer(w[15]));
      a.bias4 = static_cast<const float*>(o.pointer(w[16]));
      a.bias5 = static_cast<const float*>(o.pointer(w[17]));
      a.y0 = static_cast<float*>(o.pointer(w[18]));
      a.y1 = static_cast<float*>(o.pointer(w[19]));
      a.y2 = static_cast<float*>(o.pointer(w[20]));
      a.y3 = static_cast<float*>(o.pointer(w[21]));
      a.y4 = static_cast<float*>(o.pointer(w[22]));
      a.y5 = static_cast<float*>(o.pointer(w[23]));
      a.eps = std::bit_cast<float>(w[24]);
      a.activation = static_cast<Activation>(w[25]);
      return f(kernels.projections, a);
    }
    case Opcode::conv2d: {
      Conv2dArgs a;
      a.n = w[0];
      a.h = w[1];
      a.w = w[2];
      a.c = w[3];
      a.ho = w[4];
      a.wo = w[5];
      a.o = w[6];
      a.kh = w[7];
      a.kw = w[8];
      a.rows = w[9];
      a.x = static_cast<const float*>(o.pointer(w[10]));
      a.mean = static_cast<const float*>(o.pointer(w[11]));
      a.factor = static_cast<const float*>(o.pointer(w[12]));
      a.shift = static_cast<const float*>(o.pointer(w[13]));
      a.weight = o.weight(w[14]);
      a.bias = static_cast<const float*>(o.pointer(w[15]));
      a.row_bias = static_cast<const float*>(o.pointer(w[16]));
      a.residual = static_cast<const float*>(o.pointer(w[17]));
      a.y = static_cast<float*>(o.pointer(w[18]));
      a.channel_mean = static_cast<float*>(o.pointer(w[19]));
      a.channel_variance = static_cast<float*>(o.pointer(w[20]));
      a.stride = static_cast<int32_t>(w[21]);
      a.pad_top = static_cast<int32_t>(w[22]);
      a.pad_left = static_cast<int32_t>(w[23]);
      a.pad_bottom = static_cast<int32_t>(w[24]);
      a.pad_right = static_cast<int32_t>(w[25]);
      a.upsample = static_cast<int32_t>(w[26]);
      a.activation = static_cast<Activation>(w[27]);
      a.input_activation = static_cast<Activation>(w[28]);
      a.algorithm = static_cast<ConvAlgorithm>(w[29]);
      return f(kernels.conv2d, a);
    }
    case Opcode::upsample_conv2d: {
      UpsampleConv2dArgs a;
      a.n = w[0];
      a.h = w[1];
      a.w = w[2];
      a.c = w[3];
      a.ho = w[4];
      a.wo = w[5];
      a.o = w[6];
      a.kh = w[7];
      a.kw = w[8];
      a.x = static_cast<const float*>(o.pointer(w[9]));
      a.weight = o.weight(w[10]);
      a.bias = static_cast<const float*>(o.pointer(w[11]));
      a.y = static_cast<float*>(o.pointer(w[12]));
      a.activation = static_cast<Activation>(w[13]);
      return f(kernels.upsample_conv2d, a);
    }
    case Opcode::attention: {
      AttentionArgs a;
      a.n = w[0];
      a.lq = w[1];
      a.lk = w[2];
      a.c = w[3];
      a.q = static_cast<const float*>(o.pointer(w[4]));
      a.k = static_cast<const float*>(o.pointer(w[5]));
      a.v = static_cast<const float*>(o.pointer(w[6]));
      a.y = static_cast<float*>(o.pointer(w[7]));
      a.heads = static_cast<int32_t>(w[8]);
      a.scale = std::bit_cast<float>(w[9]);
      a.mask = static_cast<Mask>(w[10]);
      a.arithmetic = static_cast<Arithmetic>(w[11]);
      return f(kernels.attention, a);
    }
    case Opcode::match_tokens: {
      MatchTokensArgs a;
      a.n = w[0];
      a.h = w[1];
      a.w = w[2];
      a.c = w[3];
      a.windows = w[4];
      a.kept = w[5];
      a.x = static_cast<const float*>(o.pointer(w[6]));
      a.corners = static_cast<const int32_t*>(o.pointer(w[7]));
      a.rows = static_cast<int32_t*>(o.pointer(w[8]));
      return f(kernels.match_tokens, a);
    }
    case Opcode::merge_tokens: {
      MergeTokensArgs a;
      a.n = w[0];
      a.hw = w[1];
      a.c = w[2];
      a.kept = w[3];
      a.x = static_cast<const float*>(o.pointer(w[4]));
      a.rows = static_cast<const int32_t*>(o.pointer(w[5]));
      a.y = static_cast<float*>(o.pointer(w[6]));
      return f(kernels.merge_tokens, a);
    }
    case Opcode::unmerge_tokens: {
      UnmergeTokensArgs a;
      a.n = w[0];
      a.hw = w[1];
      a.c = w[2];
      a.kept = w[3];
      a.x = static_cast<const float*>(o.pointer(w[4]));
      a.rows = static_cast<const int32_t*>(o.pointer(w[5]));
      a.residual = static_cast<const float*>(o.pointer(w[6]));
      a.y = static_cast<float*>(o.pointer(w[7]));
      return f(kernels.unmerge_tokens, a);
    }
    case Opcode::group_norm: {
      GroupNormArgs a;
      a.n = w[0];
      a.hw = w[1];
      a.c = w[2];
      a.x = static_cast<const float*>(o.pointer(w[3]));
      a.gamma = static_cast<const float*>(o.pointer(w[4]));
      a.beta = static_cast<const float*>(o.pointer(w[5]));
      a.y = static_cast<float*>(o.pointer(w[6]));
      a.groups = static_cast<int32_t>(w[7]);
      a.eps = std::bit_cast<float>(w[8]);
      a.activation = static_cast<Activation>(w[9]);
      return f(kernels.group_norm, a);
    }
    case Opcode::group_factors: {
      GroupFactorsArgs a;
      a.n = w[0];
      a.hw = w[1];
      a.c = w[2];
      a.x = static_cast<const float*>(o.pointer(w[3]));
      a.channel_mean = static_cast<const float*>(o.pointer(w[4]));
      a.channel_variance = static_cast<const float*>(o.pointer(w[5]));
      a.gamma = static_cast<const float*>(o.pointer(w[6]));
      a.beta = static_cast<const float*>(o.pointer(w[7]));
      a.mean = static_cast<float*>(o.pointer(w[8]));
      a.factor = static_cast<float*>(o.pointer(w[9]));
      a.shift = static_cast<float*>(o.pointer(w[10]));
      a.groups = static_cast<int32_t>(w[11]);
      a.eps = std::bit_cast<float>(w[12]);
      return f(kernels.group_factors, a);
    }
    case Opcode::layer_norm: {
      LayerNormArgs a;
      a.m = w[0];
      a.c = w[1];
      a.x = static_cast<const float*>(o.pointer(w[2]));
      a.gamma = static_cast<const float*>(o.pointer(w[3]));
      a.beta = static_cast<const float*>(o.pointer(w[4]));
      a.y = static_cast<float*>(o.pointer(w[5]));
      a.eps = std::bit_cast<float>(w[6]);
      return f(kernels.layer_norm, a);
    }
    case Opcode::activation: {
      ActivationArgs a;
      a.count = w[0];
      a.x = static_cast<const float*>(o.pointer(w[1]));
      a.y = static_cast<float*>(o.pointer(w[2]));
      a.activation = static_cast<Activation>(w[3]);
      return f(kernels.activation, a);
    }
    case Opcode::geglu: {
      GegluArgs a;
      a.m = w[0];
      a.n = w[1];
      a.n2 = w[2];
      a.x = static_cast<const float*>(o.pointer(w[3]));
      a.y = static_cast<float*>(o.pointer(w[4]));
      return f(kernels.geglu, a);
    }
    case Opcode::embedding: {
      EmbeddingArgs a;
      a.m = w[0];
      a.c = w[1];
      a.rows = w[2];
      a.length = w[3];
      a.ids = static_cast<const int32_t*>(o.pointer(w[4]));
      a.table = o.weight(w[5]);
      a.positions = o.weight(w[6]);
      a.y = static_cast<float*>(o.pointer(w[7]));
      return f(kernels.embedding, a);
    }
    case Opcode::timestep_embedding: {
      TimestepEmbeddingArgs a;
      a.m = w[0];
      a.dim = w[1];
      a.t = static_cast<const float*>(o.pointer(w[2]));
      a.y = static_cast<float*>(o.pointer(w[3]));
      a.cos_first = static_cast<int32_t>(w[4]);
      a.shift = std::bit_cast<float>(w[5]);
      return f(kernels.timestep_embedding, a);
    }
    case Opcode::add: {
      AddArgs a;
      a.count = w[0];
      a.a = static_cast<const float*>(o.pointer(w[1]));
      a.b = static_cast<const float*>(o.pointer(w[2]));
      a.y = static_cast<float*>(o.pointer(w[3]));
      return f(kernels.add, a);
    }
    case Opcode::add_row_bias: {
      AddRowBiasArgs a;
      a.n = w[0];
      a.hw = w[1];
      a.c = w[2];
      a.rows = w[3];
      a.x = static_cast<const float*>(o.pointer(w[4]));
      a.row_bias = static_cast<const float*>(o.pointer(w[5]));
      a.y = static_cast<float*>(o.pointer(w[6]));
      return f(kernels.add_row_bias, a);
    }
    case Opcode::scale: {
      ScaleArgs a;
      a.count = w[0];
      a.one = w[1];
      a.x = static_cast<const float*>(o.pointer(w[2]));
      a.by = static_cast<const float*>(o.pointer(w[3]));
      a.y = static_cast<float*>(o.pointer(w[4]));
      a.factor = std::bit_cast<float>(w[5]);
      return f(kernels.scale, a);
    }
    case Opcode::narrow: {
      NarrowArgs a;
      a.count = w[0];
      a.x = static_cast<const float*>(o.pointer(w[1]));
      a.y = static_cast<float*>(o.pointer(w[2]));
      return f(kernels.narrow, a);
    }
    case Opcode::widen: {
      WidenArgs a;
      a.count = w[0];
      a.x = static_cast<const float*>(o.pointer(w[1]));
      a.y = static_cast<float*>(o.pointer(w[2]));
      return f(kernels.widen, a);
    }
    case Opcode::concat: {
      ConcatArgs a;
      a.m = w[0];
      a.ca = w[1];
      a.cb = w[2];
      a.c = w[3];
      a.a = static_cast<const float*>(o.pointer(w[4]));
      a.b = static_cast<const float*>(o.pointer(w[5]));
      a.y = static_cast<float*>(o.pointer(w[6]));
      return f(kernels.concat, a);
    }
    case Opcode::concat_group_norm: {
      ConcatGroupNormArgs a;
      a.n = w[0];
      a.hw = w[1];
      a.ca = w[2];
      a.cb = w[3];
      a.c = w[4];
      a.a = static_cast<const float*>(o.pointer(w[5]));
      a.b = static_cast<const float*>(o.pointer(w[6]));
      a.gamma = static_cast<const float*>(o.pointer(w[7]));
      a.beta = static_cast<const float*>(o.pointer(w[8]));
      a.y = static_cast<float*>(o.pointer(w[9]));
      a.groups = static_cast<int32_t>(w[10]);
      a.eps = std::bit_cast<float>(w[11]);
      a.activation = static_cast<Activation>(w[12]);
      return f(kernels.concat_group_norm, a);
    }
    case Opcode::concat_linear: {
      ConcatLinearArgs a;
      a.m = w[0];
      a.n = w[1];
      a.ca = w[2];
      a.cb = w[3];
      a.k = w[4];
      a.a = static_cast<const float*>(o.pointer(w[5]));
      a.b = static_cast<const float*>(o.pointer(w[6]));
      a.w = o.weight(w[7]);
      a.bias = static_cast<const float*>(o.pointer(w[8]));
      a.residual = static_cast<const float*>(o.pointer(w[9]));
      a.y = static_cast<float*>(o.pointer(w[10]));
      return f(kernels.concat_linear, a);
    }
    case Opcode::tile: {
      TileArgs a;
      a.times = w[0];
      a.count = w[1];
      a.x = static_cast<const float*>(o.pointer(w[2]));
      a.y = static_cast<float*>(o.pointer(w[3]));
      return f(kernels.tile, a);
    }
    case Opcode::upsample: {
      UpsampleArgs a;
      a.n = w[0];
      a.h = w[1];
      a.w = w[2];
      a.c = w[3];
      a.ho = w[4];
      a.wo = w[5];
      a.x = static_cast<const float*>(o.pointer(w[6]));
      a.y = static_cast<float*>(o.pointer(w[7]));
      return f(kernels.upsample, a);
    }
    case Opcode::to_pixels: {
      ToPixelsArgs a;
      a.count = w[0];
      a.x = static_cast<const float*>(o.pointer(w[1]));
      a.y = static_cast<uint8_t*>(o.pointer(w[2]));
      return f(kernels.to_pixels, a);
    }
    case Opcode::from_pixels: {
      FromPixelsArgs a;
      a.count = w[0];
      a.x = static_cast<const uint8_t*>(o.pointer(w[1]));
      a.y = static_cast<float*>(o.pointer(w[2]));
      return f(kernels.from_pixels, a);
    }
    case Opcode::sample_gaussian: {
      SampleGaussianArgs a;
      a.m = w[0];
      a.c = w[1];
      a.c2 = w[2];
      a.moments = static_cast<const float*>(o.pointer(w[3]));
      a.noise = static_cast<const float*>(o.pointer(w[4]));
      a.y = static_cast<float*>(o.pointer(w[5]));
      a.factor = std::bit_cast<float>(w[6]);
      return f(kernels.sample_gaussian, a);
    }
    case Opcode::predict_clean: {
      PredictCleanArgs a;
      a.count = w[0];
      a.copies = w[1];
      a.width = w[2];
      a.latents = static_cast<const float*>(o.pointer(w[3]));
      a.model = static_cast<const float*>(o.pointer(w[4]));
      a.coefficients = static_cast<const float*>(o.pointer(w[5]));
      a.y = static_cast<float*>(o.pointer(w[6]));
      return f(kernels.predict_clean, a);
    }
    case Opcode::dynamic_threshold: {
      DynamicThresholdArgs a;
      a.n = w[0];
      a.count = w[1];
      a.x = static_cast<const float*>(o.pointer(w[2]));
      a.y = static_cast<float*>(o.pointer(w[3]));
      a.percentile = std::bit_cast<float>(w[4]);
      a.max = std::bit_cast<float>(w[5]);
      return f(kernels.dynamic_threshold, a);
    }
    default: {
      SchedulerStepArgs a;
      a.count = w[0];
      a.copies = w[1];
      a.width = w[2];
      a.depth = w[3];
      a.latents = static_cast<const float*>(o.pointer(w[4]));
      a.model = static_cast<const float*>(o.pointer(w[5]));
      a.coefficients = static_cast<const float*>(o.pointer(w[6]));
      a.clean = static_cast<const float*>(o.pointer(w[7]));
      a.history = static_cast<const float*>(o.pointer(w[8]));
      a.noise = static_cast<const float*>(o.pointer(w[9]));
      a.y = static_cast<float*>(o.pointer(w[10]));
      a.new_history = static_cast<float*>(o.pointer(w[11]));
      return f(kernels.scheduler_step, a);
    }
  }
}

}  // namespace tintype
