// Attention with online softmax (Milakov and Gimelshein, 2018; Dao et al., 2022): the scores of a tile of
// queries and keys live in L1, never the whole matrix. A lane is a query: the queries of a task are
// transposed once, and keys and values are broadcast from their rows. So no head size wastes lanes, and
// maximum, sum and rescaling of the softmax are plain vector operations.
// Bound by FLOP. Share of the FMA peak that a tile reaches with heads of 40, 80, 160, 512: AVX2 79, 87, 92,
// 91 %, AVX-512 68, 74, 79, 80 %; the whole of 4096 x 4096, 8 heads of 40: 66 and 57 % (Sapphire Rapids, one
// core; peaks 120 to 125 and 220 to 235 GFLOP/s), 75 % (Zen 3, AVX2) and 76 to 79 % (Zen 4, AVX-512).
#include "elementwise.h"
#include "lane_products.h"
#include "math.h"

namespace tintype::TINTYPE_ISA {
namespace {

constexpr double kLog2E = 1.4426950408889634;

// How a task is cut. A tile of keys and values is copied to where its rows lie an odd number of cache lines
// apart: in their own place heads of 40 in rows of 320 floats share a few sets of L1, which cost a tenth of
// the speed, heads of 160 in rows of 1280 a sixth (AVX2 and AVX-512, Sapphire Rapids).
struct Blocking {
  int64_t panels;  // of kLanes queries each, which share the copies
  int64_t keys;    // of a tile: 9 x 14, whose scores fill 16 KiB at most, or less where rows are long
  int64_t pitch;   // floats from row to row of a copy
};

// Keys and values are copied once for each task: queries are as many as leave 64 tasks, so that copying what
// lies far apart takes 3 % of the time and not 9 (4096 x 4096, 8 heads of 40). Where there is one tile of
// keys, more queries gain nothing and leave L2.
Blocking choose_blocking(const AttentionArgs& args) {
  const int64_t d = args.c / args.heads;
  const int64_t keys = d > 192 ? 84 : 126;
  int64_t queries = args.lk <= keys ? 256 : 1024;
  while (queries > 128 && args.n * args.heads * args.lq < 64 * queries) queries /= 2;
  return {min(ceil_div(args.lq, kLanes), queries / kLanes), keys, pitch_of(d)};
}

// kLanes queries of one head. Every array has rows of kLanes floats.
struct Panel {
  float* q;    // (elements of d, kLanes): transposed and scaled
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

// T is what is multiplied from here on, numbers or pairs of bf16: of queries and keys two channels one after
// the other, of values and weights two keys.

// scores[r, lane] = k[r] . q[lane] for `rows` keys, and their maximum.
template <int rows, class T>
void multiply_keys(const float* k, int64_t pitch, int64_t d, const float* q, float* scores, float* max) {
  Vec sums[rows][kVectors];
  multiply_lanes<rows, T>(k, pitch, ceil_div(d, kNumbers<T>), q, sums);
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
// columns r; keys by pairs where these are multiplied.
template <int rows, class T>
void multiply_values(const float* v, int64_t pitch, int64_t keys, const float* weights, const Vec* decay,
                     float* out) {
  Vec sums[rows][kVectors];
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < kVectors; i++) sums[r][i] = load(out + r * kLanes + i * kWidth) * decay[i];
  }
  const int64_t steps = ceil_div(keys, kNumbers<T>);
#pragma GCC unroll 2
  for (int64_t key = 0; key < steps; key++) {
    Vec weight[kVectors];
    for (int i = 0; i < kVectors; i++) weight[i] = load(weights + key * kLanes + i * kWidth);
    for (int r = 0; r < rows; r++) {
      const Vec value = broadcast(v[key * pitch + r]);
      for (int i = 0; i < kVectors; i++) sums[r][i] = add_product<T>(value, weight[i], sums[r][i]);
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
      const Vec score = select(lane < hidden_before, broadcast(-__builtin_huge_valf()), load(at));
      store(at, score);
      most = TINTYPE_ISA::max(score, most);
    }
    store(max + v * kWidth, most);
  }
}

// Keys whose weights are computed side by side: worth 2 % at heads of 40.
constexpr int64_t kTogether = kSeveral / kVectors;

// Stores the weights of kTogether keys as elements of type T.
template <class T>
void store_weights(float* scores, int64_t key, const Several<Vec>& weights) {
  float* at = scores + key / kNumbers<T> * kLanes;
  if constexpr (kNumbers<T> == 1) return store_several(at, weights);
  static_assert(kTogether == 2);
  for (int v = 0; v < kVectors; v++) store(at + v * kWidth, pair_up(weights.v[v], weights.v[kVectors + v]));
}

// Scores become weights relative to the new maximum; decay is what older weights shrink by.
template <class T>
void weigh(const Panel& panel, float* scores, int64_t keys, const float* max, Vec* decay) {
  Vec top[kVectors], sum[kVectors];
  for (int v = 0; v < kVectors; v++) {
    top[v] = load(max + v * kWidth);
    decay[v] = exp2_of_negative(load(panel.max + v * kWidth) - top[v]);
    sum[v] = load(panel.sum + v * kWidth) * decay[v];
    store(panel.max + v * kWidth, top[v]);
  }
  int64_t key = 0;
  const Several<Vec> tops = each([&](int i) { return top[i % kVectors]; });
  for (; key + kTogether <= keys; key += kTogether) {
    const Several<Vec> weights = exp2_of_negative(load_several(scores + key * kLanes) - tops);
    for (int i = 0; i < kSeveral; i++) sum[i % kVectors] = sum[i % kVectors] + weights.v[i];
    store_weights<T>(scores, key, weights);
  }
  for (; key < keys; key++) {
    for (int v = 0; v < kVectors; v++) {
      const Vec weight = exp2_of_negative(load(scores + key * kLanes + v * kWidth) - top[v]);
      sum[v] = sum[v] + weight;
      store(scores + key / kNumbers<T> * kLanes + v * kWidth,
            kNumbers<T> == 2 ? pair_up(weight, broadcast(0)) : weight);
    }
  }
  for (int v = 0; v < kVectors; v++) store(panel.sum + v * kWidth, sum[v]);
}

// The copies of some keys and values.
struct Tile {
  const float *k, *v;  // (keys, pitch), pairs of keys of v
  int64_t keys, pitch, d;
};

// `visible` is how many of the tile's keys the panel's first query sees.
template <class T>
void attend(const Panel& panel, const Tile& tile, int64_t visible, float* scores) {
  float max[kLanes];
  for (int lane = 0; lane < kLanes; lane++) max[lane] = panel.max[lane];
  float ignored[kLanes] = {};
  const bool masked = visible < tile.keys;
  in_rows(tile.keys, [&](int64_t key, auto rows) {
    multiply_keys<decltype(rows)::count, T>(tile.k + key * tile.pitch, tile.pitch, tile.d, panel.q,
                                            scores + key * kLanes, masked ? ignored : max);
  });
  if (masked) mask_scores(scores, tile.keys, visible - 1, max);
  Vec decay[kVectors];
  weigh<T>(panel, scores, tile.keys, max, decay);
  in_rows(tile.d, [&](int64_t l, auto rows) {
    multiply_values<decltype(rows)::count, T>(tile.v + l, tile.pitch, tile.keys, scores, decay,
                                              panel.out + l * kLanes);
  });
}

// Rows of keys or values, `stride` floats apart.
struct Source {
  const float* from;
  int64_t stride, rows, d;
};

template <class T>
void copy_keys(const Source& keys, float* to, int64_t pitch) {
  for (int64_t row = 0; row < keys.rows; row++) {
    const float* from = keys.from + row * keys.stride;
    if constexpr (kNumbers<T> == 1) {
      copy(from, to + row * pitch, keys.d);
    } else {
      narrow(from, keys.d, to + row * pitch);
    }
  }
}

template <class T>
void copy_values(const Source& values, float* to, int64_t pitch) {
  if constexpr (kNumbers<T> == 1) return copy_keys<T>(values, to, pitch);
  for (int64_t row = 0; row < values.rows; row += 2) {
    const float* from = values.from + row * values.stride;
    const bool paired = row + 1 < values.rows;
    each_vector(0, values.d, [&](int64_t l, auto columns) {
      const Vec second = paired ? columns.load(from + values.stride + l) : broadcast(0);
      columns.store(to + row / 2 * pitch + l, pair_up(columns.load(from + l), second));
    });
  }
}

// Rows of transposed queries, two by two.
void pair_rows(float* q, int64_t d) {
  for (int64_t l = 0; l < d; l += 2) {
    for (int64_t lane = 0; lane < kLanes; lane += kWidth) {
      const Vec second = l + 1 < d ? load(q + (l + 1) * kLanes + lane) : broadcast(0);
      store(q + l / 2 * kLanes + lane, pair_up(load(q + l * kLanes + lane), second));
    }
  }
}

// A factor rounded to float would bend all scores alike: its rest is applied too.
template <class T>
void begin(const Panel& panel, const float* q, int64_t queries, int64_t c, int64_t d, double scale) {
  const Vec factor = broadcast(static_cast<float>(scale));
  const Vec rest = broadcast(static_cast<float>(scale - static_cast<float>(scale)));
  fill_panel(panel.q, queries, d, [=](int64_t lane, int64_t l, auto columns) {
    const Vec row = columns.load(q + lane * c + l);
    return fma(row, factor, row * rest);
  });
  if constexpr (kNumbers<T> == 2) pair_rows(panel.q, d);
  for (int64_t lane = 0; lane < kLanes; lane += kWidth) {
    // Not infinity: a score that is as low would differ from it by no number.
    store(panel.max + lane, broadcast(-0x1.fffffep127f));
    store(panel.sum + lane, broadcast(0.0f));
  }
  for (int64_t i = 0; i < d * kLanes; i += kWidth) store(panel.out + i, broadcast(0.0f));
}

void finish(const Panel& panel, float* y, int64_t queries, int64_t c, int64_t d) {
  for (int64_t lane = 0; lane < queries; lane += kWidth) {
    const Vec sum = load(panel.sum + lane);
    each_vector(0, d, [&](int64_t l, auto columns) {
      Vec rows[kWidth];
      for (int64_t i = 0; i < kWidth; i++) {
        rows[i] = i < d - l ? load(panel.out + (l + i) * kLanes + lane) / sum : broadcast(0.0f);
      }
      transpose(rows);
      const int64_t filled = min(queries - lane, kWidth);
      for (int64_t i = 0; i < filled; i++) columns.store(y + (lane + i) * c + l, rows[i]);
    });
  }
}

// The queries [first, last) of one head of one picture, and where they, its keys and its values begin.
struct Task {
  const float *q, *k, *v;
  float* y;
  int64_t first, last, keys;
};

// The keys and values of the next tile, of which each panel asks for some rows while it has this one
// multiplied: their copies then wait for none. Worth up to 6 % (heads of 40 and 64). Rows that lie one after
// the other a core foresees.
class NextTile {
 public:
  NextTile(const Source& keys, const Source& values, int64_t panels)
      : keys_(keys), values_(values), each_(keys.stride > keys.d ? ceil_div(keys.rows, panels) : 0) {}

  void ask() {
    for (const int64_t end = min(row_ + each_, keys_.rows); row_ < end; row_++) {
      ask_for(keys_);
      ask_for(values_);
    }
  }

 private:
  void ask_for(const Source& source) const {
    const float* row = source.from + row_ * source.stride;
    for (int64_t l = 0; l < source.d; l += kLine) prefetch_to_l2(row + l);
    prefetch_to_l2(row + source.d - 1);
  }

  const Source keys_, values_;
  const int64_t each_;
  int64_t row_ = 0;
};

template <class T>
void attend_queries(const AttentionArgs& args, const Task& task, const Exec& exec, int thread) {
  const int64_t c = args.c;
  const int64_t d = c / args.heads;
  const Blocking blocking = choose_blocking(args);
  const bool causal = args.mask == Mask::causal;
  float* k = exec.scratch<float>(thread);
  float* v = k + blocking.keys * blocking.pitch;
  float* scores = v + blocking.keys * blocking.pitch;
  float* panels = scores + blocking.keys * kLanes;
  // f(panel, query): the panel's first query
  const auto each_panel = [&](const auto& f) {
    float* memory = panels;
    for (int64_t query = task.first; query < task.last; query += kLanes, memory += panel_floats(d)) {
      f(panel_at(memory, d), query);
    }
  };
  each_panel([&](const Panel& panel, int64_t query) {
    begin<T>(panel, task.q + query * c, min(task.last - query, kLanes), c, d, args.scale * kLog2E);
  });
  for (int64_t key = 0; key < task.keys; key += blocking.keys) {
    // All keys of a large picture take seconds, a tile of them some milliseconds.
    if (exec.is_cancelled(exec.pool)) return;
    const int64_t keys = min(task.keys - key, blocking.keys);
    copy_keys<T>({task.k + key * c, c, keys, d}, k, blocking.pitch);
    copy_values<T>({task.v + key * c, c, keys, d}, v, blocking.pitch);
    const int64_t next = key + keys, left = min(task.keys - next, blocking.keys);
    NextTile next_tile({task.k + next * c, c, left, d}, {task.v + next * c, c, left, d}, blocking.panels);
    each_panel([&](const Panel& panel, int64_t query) {
      next_tile.ask();
      // With a causal mask a panel stops at the last key that any of its queries sees.
      const int64_t seen = causal ? min(keys, query + kLanes - key) : keys;
      const int64_t visible = causal ? query + 1 - key : seen;
      if (seen > 0) attend<T>(panel, {k, v, seen, blocking.pitch, d}, visible, scores);
    });
  }
  each_panel([&](const Panel& panel, int64_t query) {
    finish(panel, task.y + query * c, min(task.last - query, kLanes), c, d);
  });
}

}  // namespace

ScratchSize attention_scratch(const AttentionArgs& args) {
  const int64_t d = args.c / args.heads;
  const Blocking blocking = choose_blocking(args);
  const int64_t tile = blocking.keys * (2 * blocking.pitch + kLanes);
  return static_cast<size_t>(tile + blocking.panels * panel_floats(d)) * sizeof(float);
}

void attention(const AttentionArgs& args, const Exec& exec) {
  const int64_t c = args.c;
  const int64_t d = c / args.heads;
  const int64_t queries = choose_blocking(args).panels * kLanes;
  const int64_t blocks = ceil_div(args.lq, queries);
  parallel_for(exec, args.n * args.heads * blocks, [&](int64_t index, int thread) {
    const int64_t first = index % blocks * queries;
    const int64_t last = min(args.lq, first + queries);
    const int64_t column = index / blocks % args.heads * d;
    const int64_t picture = index / blocks / args.heads;
    const int64_t q = picture * args.lq * c + column;
    const int64_t k = picture * args.lk * c + column;
    const int64_t keys = args.mask == Mask::causal ? min(args.lk, last) : args.lk;
    const Task task{args.q + q, args.k + k, args.v + k, args.y + q, first, last, keys};
    if (args.arithmetic == Arithmetic::bf16) return attend_queries<BF16Pair>(args, task, exec, thread);
    attend_queries<float>(args, task, exec, thread);
  });
}

}  // namespace tintype::TINTYPE_ISA
