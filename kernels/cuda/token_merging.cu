// Token merging (Bolya and Hoffman, 2023): which tokens of a map become one, their means, and the way back.
#include "chunk.cuh"
#include "math.cuh"
#include "radix_selection.cuh"
#include "token_matching.cuh"

namespace tintype::cuda {

// Lengths, a warp for each token, and which token each window keeps. Bandwidth.
extern "C" __global__ void __launch_bounds__(token_warps * 32)
    measure_tokens(const __grid_constant__ MatchLaunch a) {
  const TokenMap map(a.op);
  const int lane = threadIdx.x % 32, c = static_cast<int>(a.op.c);
  const int token = blockIdx.x * token_warps + threadIdx.x / 32;
  if (token >= map.tokens()) return;
  const int64_t index = static_cast<int64_t>(blockIdx.y) * map.tokens() + token;
  const Element* x = elements(a.op.x) + index * c;
  float squares = 0;
  for (int j = lane * chunk; j < c; j += 32 * chunk) {
    Chunk v;
    load(x + j, min(chunk, c - j), c % chunk == 0, v);
#pragma unroll
    for (int i = 0; i < chunk; i++) squares += v[i] * v[i];
  }
  squares = warp_sum(squares);
  if (lane != 0) return;
  const float inverse = squares > 0 ? rsqrtf(squares) : 0.f;  // of zeros, and of what is no number, 0
  const int window = map.window_of(token);
  if (map.destination_of(window) != token) {
    a.source_inverse[index] = inverse;
  } else {
    a.destination_inverse[blockIdx.y * a.op.windows + window] = inverse;
    a.cosine[index] = -INFINITY;
    if (blockIdx.y == 0) a.destinations[window] = token;
  }
}

extern "C" __global__ void __launch_bounds__(match_tile.threads())
    match_tokens_8(const __grid_constant__ MatchLaunch a) {
  extern __shared__ __align__(16) unsigned char shared[];
  MatchBlock<8>(a, shared).run();
}
extern "C" __global__ void __launch_bounds__(match_tile.threads())
    match_tokens_1(const __grid_constant__ MatchLaunch a) {
  extern __shared__ __align__(16) unsigned char shared[];
  MatchBlock<1>(a, shared).run();
}

namespace {

// Bits whose order is that of the numbers turned round: the largest come first.
__device__ uint32_t order_of(float x) {
  const uint32_t bits = __float_as_uint(x);
  return bits >> 31 ? bits : ~bits & 0x7fffffffu;
}

// How many threads before this one have the flag; `total` is how many of the block have it.
__device__ int count_before(bool flag, int* of_warps, int& total) {
  const int warp = threadIdx.x / 32;
  const uint32_t lanes = __ballot_sync(0xffffffff, flag), before = (1u << threadIdx.x % 32) - 1;
  if (threadIdx.x % 32 == 0) of_warps[warp] = __popc(lanes);
  __syncthreads();
  int count = __popc(lanes & before);
  total = 0;
#pragma unroll
  for (int i = 0; i < number_threads / 32; i++) {
    if (i < warp) count += of_warps[i];
    total += of_warps[i];
  }
  __syncthreads();  // the numbers may be written again
  return count;
}

}  // namespace

// A block for each picture: the sources that are merged by radix selection, then numbers for all tokens that
// stay, in their order, and for the others those of what they are merged into. Latency.
extern "C" __global__ void __launch_bounds__(number_threads)
    number_tokens(const __grid_constant__ MatchLaunch a) {
  __shared__ RadixSelection s;
  __shared__ int of_warps[number_threads / 32];
  const int tokens = static_cast<int>(a.op.h * a.op.w), merged = tokens - static_cast<int>(a.op.kept);
  const int64_t first = static_cast<int64_t>(blockIdx.x) * tokens;
  const float* cosine = a.cosine + first;
  int32_t* rows = a.op.rows + first;
  const auto order = [=](int token) { return order_of(cosine[token]); };
  // All sources are before all destinations, which are never merged therefore.
  if (merged > 0) radix_select<number_threads>(s, tokens, static_cast<uint32_t>(merged - 1), order);
  constexpr int gone = -1;
  int equal_before = 0, rows_before = 0;
  for (int begin = 0; begin < tokens; begin += number_threads) {
    const int token = begin + threadIdx.x;
    const bool inside = token < tokens, candidate = inside && merged > 0;
    const uint32_t own = candidate ? order(token) : 0;
    const bool is_equal = candidate && own == s.prefix;
    int equal, staying;
    // Of equal ones the first go.
    const int place = equal_before + count_before(is_equal, of_warps, equal);
    const bool goes = candidate && (own < s.prefix || (is_equal && place <= static_cast<int>(s.rank)));
    const int row = rows_before + count_before(inside && !goes, of_warps, staying);
    if (inside) rows[token] = goes ? gone : row;
    equal_before += equal;
    rows_before += staying;
  }
  __syncthreads();
  for (int token = threadIdx.x; token < tokens; token += number_threads) {
    if (rows[token] == gone) rows[token] = rows[a.destinations[a.nearest[first + token]]];
  }
}

// A warp for each row of y looks through all tokens for those that belong there, in their order. Bandwidth of
// the L2 cache.
extern "C" __global__ void __launch_bounds__(token_warps * 32, merge_resident)
    merge_tokens(const __grid_constant__ MergeTokensArgs a) {
  constexpr int chunks = 2, at_once = 4;  // of a lane, and tokens that it looks at
  const int lane = threadIdx.x % 32, hw = static_cast<int>(a.hw), c = static_cast<int>(a.c);
  const int row = blockIdx.x * token_warps + threadIdx.x / 32;
  if (row >= a.kept) return;
  const int64_t picture = blockIdx.y;
  const int32_t* rows = a.rows + picture * hw;
  const Element* x = elements(a.x) + picture * hw * c;
  Element* y = elements(a.y) + (picture * a.kept + row) * c;
  for (int first = 0; first < c; first += chunks * 32 * chunk) {
    int column[chunks], count[chunks];
    bool whole[chunks];
#pragma unroll
    for (int i = 0; i < chunks; i++) {
      column[i] = first + (i * 32 + lane) * chunk;
      count[i] = max(0, min(chunk, c - column[i]));
      // Not count == chunk: ptxas 13.0 made that true on sm_90 where the count is 0.
      whole[i] = column[i] + chunk <= c && c % chunk == 0;
    }
    Chunk sums[chunks] = {};
    int tokens = 0;
    for (int begin = 0; begin < hw; begin += 32 * at_once) {
      int of_token[at_once];
#pragma unroll
      for (int u = 0; u < at_once; u++) {
        const int token = begin + u * 32 + lane;
        of_token[u] = token < hw ? rows[token] : -1;
      }
#pragma unroll
      for (int u = 0; u < at_once; u++) {
        uint32_t found = __ballot_sync(0xffffffff, of_token[u] == row);
        tokens += __popc(found);
        for (; found != 0; found &= found - 1) {
          const Element* from = x + static_cast<int64_t>(begin + u * 32 + __ffs(found) - 1) * c;
#pragma unroll
          for (int i = 0; i < chunks; i++) {
            Chunk v;
            load(from + column[i], count[i], whole[i], v);
#pragma unroll
            for (int j = 0; j < chunk; j++) sums[i][j] += v[j];
          }
        }
      }
    }
    const float share = tokens == 0 ? 0.f : reciprocal(static_cast<float>(tokens));
#pragma unroll
    for (int i = 0; i < chunks; i++) {
#pragma unroll
      for (int j = 0; j < chunk; j++) sums[i][j] *= share;
      store(y + column[i], count[i], whole[i], sums[i]);
    }
  }
}

// Bandwidth.
extern "C" __global__ void unmerge_tokens(UnmergeTokensArgs a) {
  const RowChunk at(a.n * a.hw, a.c);
  if (at.count == 0) return;
  const int64_t wanted = min(max(int64_t{a.rows[at.row]}, int64_t{0}), a.kept - 1);
  const int64_t row = at.row / a.hw * a.kept + wanted;
  Chunk v, residual;
  load(elements(a.x) + row * a.c + at.column, at.count, at.whole, v);
  load(elements(a.residual) + at.first, at.count, at.whole, residual);
#pragma unroll
  for (int i = 0; i < chunk; i++) v[i] += residual[i];
  store(elements(a.y) + at.first, at.count, at.whole, v);
}

}  // namespace tintype::cuda
