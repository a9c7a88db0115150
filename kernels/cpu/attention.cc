// Attention with online softmax (Milakov and Gimelshein, 2018; Dao et al., 2022): the scores of a tile of
// queries and keys live in L1, never the whole matrix. A lane is a query: the queries of a tile are
// transposed once, and keys and values are broadcast straight from their rows. So nothing of K and V is
// packed, any head size fits, and maximum, sum and rescaling of the softmax are plain vector operations.
// Bound by FLOP.
#include "elementwise.h"
#include "math.h"

namespace tintype::TINTYPE_ISA {
namespace {

// A micro-kernel keeps kRows x kLanes sums in registers: 12 x 2 and 14 x 2 fill 32 registers, 6 x 2 fills 16.
constexpr int kVectors = 2;
constexpr int kLanes = kVectors * kWidth;  // queries of a panel
constexpr int kRows = kRegisters == 32 ? 14 : kWidth == 8 ? 6 : 4;
constexpr int64_t kKeys = 9 * 14;  // of a tile: its scores fill 16 KiB at most
constexpr float kLog2E = 1.44269504f;

int64_t divide_up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// Panels of a task: more of them read a tile of K and V from L1 or L2 again, fewer leave more tasks.
int64_t panels_per_task(int64_t lq) {
  const int64_t wanted = 64 / kLanes > 1 ? 64 / kLanes : 1;
  const int64_t panels = divide_up(lq, kLanes);
  return panels < wanted ? panels : wanted;
}

int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// kLanes queries of one head. Every array has rows of kLanes floats.
struct Panel {
  float* q;    // (d, kLanes): transposed and scaled
  float* out;  // (d, kLanes): weighted values so far, transposed
  float* max;  // (kLanes): the largest score so far, in units of log2
  float* sum;  // (kLanes): sum of the weights so far
};

int64_t panel_floats(int64_t d) {
  return (2 * d + 2) * kLanes;
}

Panel panel_at(float* memory, int64_t d) {
  return {memory, memory + d * kLanes, memory + 2 * d * kLanes, memory + (2 * d + 1) * kLanes};
}

template <int value>
struct Rows {
  static constexpr int count = value;
};

// Calls f(first, Rows) for [0, total) in about equal parts of at most kRows: 77 keys are five times 13 and
// one 12, not five times 14 and one 7.
template <class F>
void in_rows(int64_t total, const F& f) {
  const int64_t parts = divide_up(total, kRows);
  for (int64_t part = 0; part < parts; part++) {
    const int64_t first = total * part / parts;
    const auto call = [&]<int rows>(const auto& self, Rows<rows> count, int64_t wanted) {
      if constexpr (rows > 1) {
        if (wanted < rows) return self(self, Rows<rows - 1>{}, wanted);
      }
      f(first, count);
    };
    call(call, Rows<kRows>{}, total * (part + 1) / parts - first);
  }
}

// scores[r, lane] = k[r] . q[lane] for `rows` keys, and their maximum.
template <int rows>
void multiply_keys(const float* k, int64_t c, int64_t d, const float* q, float* scores, float* max) {
  Vec sums[rows][kVectors];
  for (int r = 0; r < rows; r++) {
    for (int v = 0; v < kVectors; v++) sums[r][v] = broadcast(0.0f);
  }
  for (int64_t l = 0; l < d; l++) {
    Vec column[kVectors];
    for (int v = 0; v < kVectors; v++) column[v] = load(q + l * kLanes + v * kWidth);
    for (int r = 0; r < rows; r++) {
      const Vec key = broadcast(k[r * c + l]);
      for (int v = 0; v < kVectors; v++) sums[r][v] = fma(key, column[v], sums[r][v]);
    }
  }
  for (int v = 0; v < kVectors; v++) {
    Vec most = load(max + v * kWidth);
    for (int r = 0; r < rows; r++) {
      store(scores + r * kLanes + v * kWidth, sums[r][v]);
      most = TINTYPE_ISA::max(sums[r][v], most);
    }
    store(max + v * kWidth, most);
  }
}

// out[r, lane] = out[r, lane] * decay[lane] + sum over keys of v[key, r] * weights[key, lane] for `rows`
// columns r.
template <int rows>
void multiply_values(const float* v, int64_t c, int64_t keys, const float* weights, const Vec* decay,
                     float* out) {
  Vec sums[rows][kVectors];
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < kVectors; i++) sums[r][i] = load(out + r * kLanes + i * kWidth) * decay[i];
  }
  for (int64_t key = 0; key < keys; key++) {
    Vec weight[kVectors];
    for (int i = 0; i < kVectors; i++) weight[i] = load(weights + key * kLanes + i * kWidth);
    for (int r = 0; r < rows; r++) {
      const Vec value = broadcast(v[key * c + r]);
      for (int i = 0; i < kVectors; i++) sums[r][i] = fma(value, weight[i], sums[r][i]);
    }
  }
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < kVectors; i++) store(out + r * kLanes + i * kWidth, sums[r][i]);
  }
}

// Hides the keys that lie after a lane's query, and takes the maximum of the others. `first` is the first
// query's position less the first key's.
void mask_scores(float* scores, int64_t keys, int64_t first, float* max) {
  float lane_index[kWidth];
  for (int lane = 0; lane < kWidth; lane++) lane_index[lane] = static_cast<float>(lane);
  for (int v = 0; v < kVectors; v++) {
    const Vec lane = load(lane_index);
    Vec most = load(max + v * kWidth);
    for (int64_t key = 0; key < keys; key++) {
      float* at = scores + key * kLanes + v * kWidth;
      const Vec hidden_before = broadcast(static_cast<float>(key - first - v * kWidth));
      const Vec score = select(lane < hidden_before, broadcast(-__builtin_inff()), load(at));
      store(at, score);
      most = TINTYPE_ISA::max(score, most);
    }
    store(max + v * kWidth, most);
  }
}

// Scores become weights relative to the new maximum; decay is what older weights shrink by.
void weigh(const Panel& panel, float* scores, int64_t keys, const float* max, Vec* decay) {
  Vec top[kVectors], sum[kVectors];
  for (int v = 0; v < kVectors; v++) {
    top[v] = load(max + v * kWidth);
    decay[v] = exp2_of_negative(load(panel.max + v * kWidth) - top[v]);
    sum[v] = load(panel.sum + v * kWidth) * decay[v];
    store(panel.max + v * kWidth, top[v]);
  }
  for (int64_t key = 0; key < keys; key++) {
    for (int v = 0; v < kVectors; v++) {
      float* at = scores + key * kLanes + v * kWidth;
      const Vec weight = exp2_of_negative(load(at) - top[v]);
      sum[v] = sum[v] + weight;
      store(at, weight);
    }
  }
  for (int v = 0; v < kVectors; v++) store(panel.sum + v * kWidth, sum[v]);
}

// A tile of keys and values, `c` floats from row to row.
struct Tile {
  const float *k, *v;
  int64_t keys, c, d;
};

// `visible` is how many of the tile's keys the panel's first query sees.
void attend(const Panel& panel, const Tile& tile, int64_t visible, float* scores) {
  float max[kLanes];
  float ignored[kLanes];
  for (int lane = 0; lane < kLanes; lane++) max[lane] = panel.max[lane];
  const bool masked = visible < tile.keys;
  in_rows(tile.keys, [&](int64_t key, auto rows) {
    multiply_keys<decltype(rows)::count>(tile.k + key * tile.c, tile.c, tile.d, panel.q,
                                         scores + key * kLanes, masked ? ignored : max);
  });
  if (masked) mask_scores(scores, tile.keys, visible - 1, max);
  Vec decay[kVectors];
  weigh(panel, scores, tile.keys, max, decay);
  in_rows(tile.d, [&](int64_t l, auto rows) {
    multiply_values<decltype(rows)::count>(tile.v + l, tile.c, tile.keys, scores, decay,
                                           panel.out + l * kLanes);
  });
}

void begin(const Panel& panel, const float* q, int64_t queries, int64_t c, int64_t d, float scale) {
  for (int64_t lane = 0; lane < kLanes; lane++) {
    for (int64_t l = 0; l < d; l++)
      panel.q[l * kLanes + lane] = lane < queries ? q[lane * c + l] * scale : 0.0f;
    panel.max[lane] = -__builtin_inff();
    panel.sum[lane] = 0.0f;
  }
  for (int64_t i = 0; i < d * kLanes; i++) panel.out[i] = 0.0f;
}

void finish(const Panel& panel, float* y, int64_t queries, int64_t c, int64_t d) {
  for (int64_t i = 0; i < d * kLanes; i += kWidth) {
    store(panel.out + i, load(panel.out + i) / load(panel.sum + i % kLanes));
  }
  for (int64_t lane = 0; lane < queries; lane++) {
    for (int64_t l = 0; l < d; l++) y[lane * c + l] = panel.out[l * kLanes + lane];
  }
}

// One head's queries [first, last) of one picture.
void attend_queries(const AttentionArgs& args, int64_t row, int64_t first, int64_t last, float* scratch) {
  const int64_t c = args.c;
  const int64_t d = c / args.heads;
  const int64_t picture = row / args.heads;
  const int64_t column = row % args.heads * d;
  const bool causal = args.mask == Mask::causal;
  const int64_t start = picture * args.lq * c + column;
  const int64_t panels = divide_up(last - first, kLanes);
  float* scores = scratch;
  float* memory = scratch + kKeys * kLanes;
  for (int64_t p = 0; p < panels; p++) {
    const int64_t query = first + p * kLanes;
    begin(panel_at(memory + p * panel_floats(d), d), args.q + start + query * c, least(last - query, kLanes),
          c, d, args.scale * kLog2E);
  }
  const int64_t keys = causal ? least(args.lk, last) : args.lk;
  for (int64_t key = 0; key < keys; key += kKeys) {
    const int64_t from = (picture * args.lk + key) * c + column;
    for (int64_t p = 0; p < panels; p++) {
      const int64_t query = first + p * kLanes;
      // A panel stops at the last key that any of its queries sees.
      const int64_t seen = causal ? least(keys, least(last, query + kLanes)) : keys;
      if (key >= seen) continue;
      const Tile tile{args.k + from, args.v + from, least(seen - key, kKeys), c, d};
      const int64_t visible = causal ? query + 1 - key : tile.keys;
      attend(panel_at(memory + p * panel_floats(d), d), tile, visible, scores);
    }
  }
  for (int64_t p = 0; p < panels; p++) {
    const int64_t query = first + p * kLanes;
    finish(panel_at(memory + p * panel_floats(d), d), args.y + start + query * c, least(last - query, kLanes),
           c, d);
  }
}

}  // namespace

size_t attention_scratch(const AttentionArgs& args) {
  const int64_t panels = panels_per_task(args.lq) * panel_floats(args.c / args.heads);
  return static_cast<size_t>(kKeys * kLanes + panels) * sizeof(float);
}

void attention(const AttentionArgs& args, const Exec& exec) {
  const int64_t queries = panels_per_task(args.lq) * kLanes;
  const int64_t blocks = divide_up(args.lq, queries);
  parallel_for(exec, args.n * args.heads * blocks, [&](int64_t task, int thread) {
    const int64_t first = task % blocks * queries;
    attend_queries(args, task / blocks, first, least(args.lq, first + queries), exec.scratch<float>(thread));
  });
}

}  // namespace tintype::TINTYPE_ISA
