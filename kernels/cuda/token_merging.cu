// Token merging (Bolya and Hoffman, 2023): which tokens of a map become one, their means, and the way back.
#include "chunk.cuh"
#include "math.cuh"
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
  if (map.kept_by(window) != token) {
    a.source_inverse[index] = inverse;
  } else {
    a.kept_inverse[blockIdx.y * a.op.windows + window] = inverse;
    if (blockIdx.y == 0) a.kept[window] = token;
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

// Bits that are ordered as the numbers are.
__device__ uint32_t order_of(float x) {
  const uint32_t bits = __float_as_uint(x);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

// The sources that are merged: all above the bound, and of those at it the first ones.
struct Selection {
  uint32_t histogram[256];
  uint32_t bound;  // the bits that are known of it
  uint32_t equal;  // how many of those with these bits are merged
};

// Finds eight more bits of the bound; the threads of the block together.
__device__ void refine(Selection& s, const TokenMap& map, const float* cosine, int shift) {
  for (int i = threadIdx.x; i < 256; i += number_threads) s.histogram[i] = 0;
  __syncthreads();
  const uint32_t bound = s.bound, known = shift == 24 ? 0 : ~0u << (shift + 8);
  for (int token = threadIdx.x; token < map.tokens(); token += number_threads) {
    if (!map.is_source(token)) continue;
    const uint32_t order = order_of(cosine[token]);
    if ((order & known) == bound) atomicAdd(&s.histogram[order >> shift & 255], 1u);
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    uint32_t digit = 255, rank = s.equal;
    while (rank > s.histogram[digit]) rank -= s.histogram[digit--];
    s.bound = bound | digit << shift;
    s.equal = rank;
  }
  __syncthreads();
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

// A block for each picture: radix selection of the sources that are merged, then numbers for all tokens that
// stay, in their order, and for the others those of what they are merged into. Latency.
extern "C" __global__ void __launch_bounds__(number_threads)
    number_tokens(const __grid_constant__ MatchLaunch a) {
  __shared__ Selection s;
  __shared__ int of_warps[number_threads / 32];
  const TokenMap map(a.op);
  const int64_t first = static_cast<int64_t>(blockIdx.x) * map.tokens();
  const float* cosine = a.cosine + first;
  int32_t* rows = a.op.rows + first;
  const int merged = map.tokens() - static_cast<int>(a.op.kept);
  if (threadIdx.x == 0) {
    s.bound = 0;
    s.equal = merged;
  }
  __syncthreads();
  if (merged > 0) {
    for (int shift = 24; shift >= 0; shift -= 8) refine(s, map, cosine, shift);
  }
  constexpr int gone = -1;
  int equal_before = 0, rows_before = 0;
  for (int begin = 0; begin < map.tokens(); begin += number_threads) {
    const int token = begin + threadIdx.x;
    const bool inside = token < map.tokens(), candidate = inside && merged > 0 && map.is_source(token);
    const uint32_t order = candidate ? order_of(cosine[token]) : 0;
    const bool is_equal = candidate && order == s.bound;
    int equal, staying;
    const int place = equal_before + count_before(is_equal, of_warps, equal);
    const bool goes = candidate && (order > s.bound || (is_equal && place < static_cast<int>(s.equal)));
    const int row = rows_before + count_before(inside && !goes, of_warps, staying);
    if (inside) rows[token] = goes ? gone : row;
    equal_before += equal;
    rows_before += staying;
  }
  __syncthreads();
  for (int token = threadIdx.x; token < map.tokens(); token += number_threads) {
    if (rows[token] == gone) rows[token] = rows[a.kept[a.nearest[first + token]]];
  }
}

// A warp for each row of y looks through all tokens for those that belong there, in their order. Bandwidth of
// the L2 cache.
extern "C" __global__ void __launch_bounds__(token_warps * 32)
    merge_tokens(const __grid_constant__ MergeTokensArgs a) {
  constexpr int at_once = 4;
  const int lane = threadIdx.x % 32, hw = static_cast<int>(a.hw), c = static_cast<int>(a.c);
  const int row = blockIdx.x * token_warps + threadIdx.x / 32;
  if (row >= a.kept) return;
  const int64_t picture = blockIdx.y;
  const int32_t* rows = a.rows + picture * hw;
  const Element* x = elements(a.x) + picture * hw * c;
  Element* y = elements(a.y) + (picture * a.kept + row) * c;
  for (int first = 0; first < c; first += 32 * chunk) {
    const int j = first + lane * chunk, count = max(0, min(chunk, c - j));
    const bool whole = count == chunk && c % chunk == 0;
    Chunk sum = {};
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
          const int64_t token = begin + u * 32 + __ffs(found) - 1;
          Chunk v;
          load(x + token * c + j, count, whole, v);
#pragma unroll
          for (int i = 0; i < chunk; i++) sum[i] += v[i];
        }
      }
    }
    const float share = tokens == 0 ? 0.f : reciprocal(static_cast<float>(tokens));
#pragma unroll
    for (int i = 0; i < chunk; i++) sum[i] *= share;
    store(y + j, count, whole, sum);
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
