// The attention kernels there are, and what they get.
#pragma once
#include "../args.gen.h"
#include "launch.h"

namespace tintype::cuda {

inline constexpr int attention_warps = 4;
inline constexpr int attention_threads = attention_warps * 32;

// From one row of a tile to the next, in elements: an odd number of 16-byte chunks, so that ldmatrix meets no
// bank twice.
constexpr int attention_stride(int head) {
  return (head / 8 | 1) * 8;
}

// Heads of `head` channels; a warp takes `tiles` times 16 queries, a step `keys` keys.
struct AttentionShape {
  int head, keys, tiles;
  constexpr int queries() const { return attention_warps * tiles * 16; }
  constexpr int stride() const { return attention_stride(head); }
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

// The same by warpgroups, of which each has 64 queries. Rows are in panels of 64 channels, which wgmma reads.
// Values have a column of ones behind their channels, in their last panel or in one of its own.
struct WarpgroupAttention {
  int head, keys;
  static constexpr int groups = 2, threads = groups * 128, panel_row_bytes = 128;
  static constexpr int stages = 2;  // steps in shared memory, first keys, then values
  static constexpr int queries() { return groups * 64; }
  constexpr int panels() const { return (head + 63) / 64; }
  constexpr int panel_bytes() const { return keys * panel_row_bytes; }
  constexpr int tile_bytes() const { return panels() * panel_bytes(); }
  constexpr int stage_bytes() const { return 2 * tile_bytes(); }
  constexpr int queries_at() const { return stages * stage_bytes(); }
  constexpr int ones_chunk() const { return head % 64 / 8; }
  // One for each stage, or one for all.
  constexpr int ones_panels() const { return head % 64 ? stages : 1; }
  constexpr int ones_at(int panel) const {
    return head % 64 ? panel * stage_bytes() + stage_bytes() - panel_bytes() : queries_at() + query_bytes();
  }
  // From the first panel of the values of a stage to that behind it.
  constexpr int next_panel(int stage) const {
    return head % 64 ? panel_bytes() : ones_at(0) - stage * stage_bytes() - tile_bytes();
  }
  constexpr int query_bytes() const { return queries() * panels() * panel_row_bytes; }
  constexpr int shared_bytes() const {
    return queries_at() + query_bytes() + (head % 64 ? 0 : panel_bytes());
  }
};

inline constexpr WarpgroupAttention warpgroup_attention_shapes[] = {
    {40, 128}, {40, 80}, {64, 128}, {64, 80}, {80, 128}, {80, 80},
};

// A warp of attention_any takes one query; its lanes hold at most this many channels of a head.
inline constexpr int attention_any_head = 1024;

struct AttentionLaunch {
  AttentionArgs op;
  float scale_log2;  // the exponential is taken to base 2
};

}  // namespace tintype::cuda
