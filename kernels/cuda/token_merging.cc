#include "token_merging.h"

#include "chunk.h"
#include "table.h"

namespace tintype::cuda {

namespace {

// All parts are of four bytes for each number.
struct MatchSizes {
  int64_t windows;               // all pictures have the same
  int64_t destinations, tokens;  // of all pictures

  explicit MatchSizes(const MatchTokensArgs& a)
      : windows(a.windows), destinations(a.n * a.windows), tokens(a.n * a.h * a.w) {}
  int64_t numbers() const { return windows + destinations + 3 * tokens; }
};

MatchLaunch lay_out(const MatchTokensArgs& a, void* workspace) {
  const MatchSizes sizes(a);
  int32_t* destinations = static_cast<int32_t*>(workspace);
  float* destination_inverse = reinterpret_cast<float*>(destinations + sizes.windows);
  float* source_inverse = destination_inverse + sizes.destinations;
  float* cosine = source_inverse + sizes.tokens;
  return {a,
          destinations,
          destination_inverse,
          source_inverse,
          cosine,
          reinterpret_cast<int32_t*>(cosine + sizes.tokens)};
}

// `count` of each picture, of which a block takes `of_block`.
Grid blocks_for(int64_t count, int64_t of_block, int64_t pictures) {
  return {static_cast<uint32_t>(ceil_div(count, of_block)), static_cast<uint32_t>(pictures)};
}

}  // namespace

size_t match_tokens_workspace(const MatchTokensArgs& a, const Gpu&) {
  return static_cast<size_t>(MatchSizes(a).numbers()) * sizeof(float);
}

void match_tokens(const MatchTokensArgs& a, Launcher& launcher) {
  const MatchLaunch args = lay_out(a, launcher.workspace());
  launcher.run("measure_tokens", blocks_for(a.h * a.w, token_warps, a.n), token_warps * 32, args);
  launcher.run(a.c % 8 == 0 ? "match_tokens_8" : "match_tokens_1",
               blocks_for(a.windows * window_sources, match_tile.sources, a.n), match_tile.threads(), args,
               match_tile.shared_bytes());
  launcher.run("number_tokens", {static_cast<uint32_t>(a.n)}, number_threads, args);
}

void merge_tokens(const MergeTokensArgs& a, Launcher& launcher) {
  launcher.run("merge_tokens", blocks_for(a.kept, token_warps, a.n), token_warps * 32, a);
}

void unmerge_tokens(const UnmergeTokensArgs& a, Launcher& launcher) {
  launcher.run("unmerge_tokens", row_chunks(a.n * a.hw, a.c), chunk_threads, a);
}

}  // namespace tintype::cuda
