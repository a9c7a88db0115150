// How attention_512 cuts its work: the one head of the autoencoder, too wide for the registers of a warp.
#pragma once
#include "../args.gen.h"
#include "launch.h"

namespace tintype::cuda {

// Eight warps share a block: two take 32 queries each, and four a quarter of the keys for scores, then a
// quarter of the channels for sums. Queries and keys arrive in slices of 32 channels, values in slices of 16
// keys.
struct WideAttention {
  static constexpr int head = 512, queries = 64, slice = 32, value_slice = 16;
  static constexpr int warps_q = 2, warps_k = 4, threads = warps_q * warps_k * 32;
  int keys, stages;  // of a step; of slices of queries and keys
  constexpr int stage_bytes() const { return (queries + keys) * slice * 2; }
  constexpr int values_at() const { return stages * stage_bytes(); }
  constexpr int value_bytes() const { return value_slice * head * 2; }
  constexpr int weights_at() const { return values_at() + 2 * value_bytes(); }
  // Of each query what each quarter of the keys has found.
  constexpr int found_at() const { return weights_at() + queries * keys * 2; }
  constexpr int shared_bytes() const { return found_at() + warps_k * queries * 4; }
};

// 64 KB of shared memory hold fewer keys, and sm_75 has no copies that could run ahead.
constexpr WideAttention wide_attention(int architecture) {
  return architecture < 80 ? WideAttention{64, 2} : WideAttention{128, 3};
}

}  // namespace tintype::cuda
