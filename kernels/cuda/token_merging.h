// How match_tokens cuts its work into blocks, and what its kernels hand on.
#pragma once
#include "../args.gen.h"
#include "launch.h"

namespace tintype::cuda {

// A block compares `sources` tokens with all that windows keep, `kept` of them at a time, in steps of `depth`
// channels, some of which are copied ahead.
struct MatchTile {
  int sources = 64, kept = 128, depth = 32, stages = 3;
  int warp_sources = 32, warp_kept = 64;

  constexpr int threads() const { return sources / warp_sources * (kept / warp_kept) * 32; }
  constexpr int row_bytes() const { return depth * 2; }
  constexpr int stage_bytes() const { return (sources + kept) * row_bytes(); }
  constexpr int shared_bytes() const { return stages * stage_bytes(); }
};
inline constexpr MatchTile match_tile{};

// Each window of 2x2 tokens keeps one; the others are sources, at most three in each.
inline constexpr int window_sources = 3;

struct MatchLaunch {
  MatchTokensArgs op;
  int32_t* kept;          // (windows): the token that each keeps
  float* kept_inverse;    // (n, windows): 1 / its length
  float* source_inverse;  // (n, h * w): the same of all others
  float* cosine;          // (n, h * w): of a source and the kept token most like it
  int32_t* nearest;       // (n, h * w): that one's window
};

inline constexpr int token_warps = 8;       // of a block, each of which takes a token or a row of y
inline constexpr int number_threads = 512;  // of the block that numbers the tokens of a picture

}  // namespace tintype::cuda
