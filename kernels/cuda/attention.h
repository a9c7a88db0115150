// The attention kernels there are, and what they get.
#pragma once
#include "../args.gen.h"
#include "launch.h"

namespace tintype::cuda {

inline constexpr int attention_warps = 4;
inline constexpr int attention_threads = attention_warps * 32;

// Heads of `head` channels; a warp takes `tiles` times 16 queries, a step `keys` keys.
struct AttentionShape {
  int head, keys, tiles;
  constexpr int queries() const { return attention_warps * tiles * 16; }
  // From one row of a tile to the next: an odd number of 16-byte chunks, so that ldmatrix meets no bank
  // twice.
  constexpr int stride() const { return (head / 8 | 1) * 8; }
  constexpr int query_bytes() const { return queries() * stride() * 2; }
  constexpr int key_bytes() const { return keys * stride() * 2; }
  // Fragments of the queries stay in registers where they are few.
  constexpr bool queries_in_registers() const { return tiles * head / 4 <= 40; }
  constexpr int keys_at() const { return queries_in_registers() ? 0 : query_bytes(); }
  constexpr int values_at() const { return keys_at() + key_bytes(); }
  constexpr int shared_bytes() const {
    const int end = values_at() + key_bytes();
    return end > query_bytes() ? end : query_bytes();
  }
};

// The head sizes of Stable Diffusion 1 and 2, SDXL and their text encoders. 80 keys take the 77 tokens of a
// prompt in one step.
inline constexpr AttentionShape attention_shapes[] = {
    {40, 64, 2}, {40, 80, 2}, {64, 64, 2},  {64, 80, 2},  {80, 64, 1},
    {80, 80, 1}, {96, 64, 1}, {128, 64, 1}, {160, 64, 1}, {160, 80, 1},
};

// A warp of attention_any takes one query; its lanes hold at most this many channels of a head.
inline constexpr int attention_any_head = 1024;

struct AttentionLaunch {
  AttentionArgs op;
  float scale_log2;  // the exponential is taken to base 2
};

}  // namespace tintype::cuda
