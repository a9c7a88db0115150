// How match_tokens cuts its work into blocks, and what its kernels hand on.
#pragma once
#include "../args.gen.h"
#include "launch.h"

namespace tintype::cuda {

// A block compares `sources` tokens with all destinations, some at a time, in steps of `depth` channels, of
// which a few are copied ahead.
struct MatchTile {
  int sources = 64, destinations = 128, depth = 32, stages = 3;
  int warp_sources = 32, warp_destinations = 64;

  constexpr int threads() const { return sources / warp_sources * (destinations / warp_destinations) * 32; }
  constexpr int row_bytes() const { return depth * 2; }
  constexpr int stage_bytes() const { return (sources + destinations) * row_bytes(); }
  constexpr int shared_bytes() const { return stages * stage_bytes(); }
};
inline constexpr MatchTile match_tile{};

// Each window of 2x2 tokens keeps one, a destination; the others are sources, at most three in each.
inline constexpr int window_sources = 3;

struct MatchLaunch {
  MatchTokensArgs op;
  int32_t* destinations;       // (windows): the token that each keeps
  float* destination_inverse;  // (n, windows): 1 / its length
  float* source_inverse;       // (n, h * w): the same of all others
  float* cosine;     // (n, h * w): of a source and the destination most like it, -infinity of a destination
  int32_t* nearest;  // (n, h * w): the window of that one
};

inline constexpr int token_warps = 8;       // of a block, each of which takes a token or a row of y
inline constexpr int merge_resident = 4;    // blocks on a processor; for more of them ptxas spills
inline constexpr int number_threads = 512;  // of the block that numbers the tokens of a picture

}  // namespace tintype::cuda
