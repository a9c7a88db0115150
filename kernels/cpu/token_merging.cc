// Token merging (Bolya and Hoffman, 2023): which tokens of a map become one, their means, and the way back.
#include "elementwise.h"
#include "lane_products.h"
#include "math.h"

namespace tintype::TINTYPE_ISA {
namespace {

// Sources of a task, and destinations that all of its panels meet before the next: both fit in L2 with rows
// of 320 floats.
constexpr int64_t kBlock = 128;
constexpr int64_t kTile = 84;
constexpr int64_t kBlockPanels = (kBlock + kLanes - 1) / kLanes;

struct Sizes {
  int64_t tokens, sources, pitch;  // pitch: floats from row to row of the destinations
};

Sizes sizes_of(const MatchTokensArgs& args) {
  const int64_t tokens = args.h * args.w;
  return {tokens, tokens - args.windows, pitch_of(args.c)};
}

// What all tasks share: the tokens that windows keep and the others, and what is known of them.
struct Matches {
  float* units;           // (n, windows, pitch): destinations, each divided by its length
  float* cosine;          // (n, sources): of each source and the destination most like it
  int32_t* nearest;       // (n, sources): that one's number
  int32_t* destinations;  // (windows): tokens
  int32_t* sources;       // (sources): tokens
};

Matches matches_at(char* memory, const MatchTokensArgs& args) {
  const Sizes size = sizes_of(args);
  float* units = reinterpret_cast<float*>(memory);
  float* cosine = units + args.n * args.windows * size.pitch;
  int32_t* nearest = reinterpret_cast<int32_t*>(cosine + args.n * size.sources);
  int32_t* destinations = nearest + args.n * size.sources;
  return {units, cosine, nearest, destinations, destinations + args.windows};
}

// The token that a window keeps; where an odd side ends, a corner may be the token beside or above it.
int64_t destination_of(const MatchTokensArgs& args, int64_t window) {
  const int64_t across = ceil_div(args.w, 2);
  const int32_t given = args.corners[window];
  const int32_t corner = given < 0 ? 0 : given > 3 ? 3 : given;
  const int64_t y = min(args.h - 1, window / across * 2 + corner / 2);
  return y * args.w + min(args.w - 1, window % across * 2 + corner % 2);
}

void list_tokens(const MatchTokensArgs& args, const Matches& matches) {
  const int64_t across = ceil_div(args.w, 2);
  for (int64_t window = 0; window < args.windows; window++) {
    matches.destinations[window] = static_cast<int32_t>(destination_of(args, window));
  }
  int32_t* source = matches.sources;
  for (int64_t token = 0; token < args.h * args.w; token++) {
    const int64_t window = token / args.w / 2 * across + token % args.w / 2;
    if (matches.destinations[window] != token) *source++ = static_cast<int32_t>(token);
  }
}

// 1 / the root of a sum of squares; 0 for a row of zeros, or what is no number.
float inverse_root(float squares) {
  return squares > 0.0f ? 1.0f / square_root(squares) : 0.0f;
}

void make_unit(const float* x, int64_t c, float* unit) {
  Vec squares = broadcast(0.0f);
  each_vector(0, c, [&](int64_t j, auto lanes) {
    const Vec element = lanes.load(x + j);
    squares = fma(element, element, squares);
  });
  const Vec inverse = broadcast(inverse_root(reduce_add(squares)));
  each_vector(0, c, [=](int64_t j, auto lanes) { lanes.store(unit + j, lanes.load(x + j) * inverse); });
}

// kLanes sources of a task and what is nearest to each so far.
struct Panel {
  float* x;        // (c, kLanes): transposed
  float* most;     // (kLanes): the largest product with a unit
  float* nearest;  // (kLanes): that one's number, exact below 2^24
};

constexpr int64_t panel_floats(int64_t c) {
  return (c + 2) * kLanes;
}

Panel panel_at(float* memory, int64_t c) {
  return {memory, memory + c * kLanes, memory + (c + 1) * kLanes};
}

// Compares the sources of a panel with `rows` units, the first of which has that number. Of equal ones the
// first stays.
template <int rows>
void compare(const Panel& panel, const float* unit, int64_t pitch, int64_t c, int64_t first) {
  Vec products[rows][kVectors];
  multiply_lanes<rows>(unit, pitch, c, panel.x, products);
  for (int v = 0; v < kVectors; v++) {
    Vec most = load(panel.most + v * kWidth);
    Vec nearest = load(panel.nearest + v * kWidth);
    for (int r = 0; r < rows; r++) {
      const VecMask more = most < products[r][v];
      most = select(more, products[r][v], most);
      nearest = select(more, broadcast(static_cast<float>(first + r)), nearest);
    }
    store(panel.most + v * kWidth, most);
    store(panel.nearest + v * kWidth, nearest);
  }
}

void finish(const Panel& panel, int64_t count, int64_t c, float* cosine, int32_t* nearest) {
  float squares[kLanes];
  for (int v = 0; v < kLanes; v += kWidth) {
    Vec sum = broadcast(0.0f);
    for (int64_t j = 0; j < c; j++) {
      const Vec element = load(panel.x + j * kLanes + v);
      sum = fma(element, element, sum);
    }
    store(squares + v, sum);
  }
  for (int64_t lane = 0; lane < count; lane++) {
    const float found = panel.most[lane] * inverse_root(squares[lane]);
    cosine[lane] = found > -2.0f ? found : -2.0f;  // what is not finite resembles nothing
    nearest[lane] = static_cast<int32_t>(panel.nearest[lane]);
  }
}

// Finds what is nearest to the sources [first, last) of one picture.
struct Task {
  const float* x;      // (tokens, c)
  const float* units;  // (windows, pitch)
  int64_t first, last;
  float* cosine;     // (last - first)
  int32_t* nearest;  // (last - first)
};

void match_sources(const MatchTokensArgs& args, const int32_t* sources, const Task& task, const Exec& exec,
                   int thread) {
  const int64_t c = args.c;
  const int64_t pitch = pitch_of(c);
  // f(panel, source): the panel's first source
  const auto each_panel = [&](const auto& f) {
    float* memory = exec.scratch<float>(thread);
    for (int64_t source = task.first; source < task.last; source += kLanes, memory += panel_floats(c)) {
      f(panel_at(memory, c), source);
    }
  };
  each_panel([&](const Panel& panel, int64_t source) {
    const auto load_at = [&](int64_t lane, int64_t j, auto columns) {
      return columns.load(task.x + sources[source + lane] * c + j);
    };
    fill_panel(panel.x, min(task.last - source, kLanes), c, load_at);
    for (int64_t lane = 0; lane < kLanes; lane++) {
      panel.most[lane] = -__builtin_huge_valf();
      panel.nearest[lane] = 0.0f;
    }
  });
  for (int64_t unit = 0; unit < args.windows; unit += kTile) {
    // All destinations of a large picture take tens of milliseconds, a tile of them less than one.
    if (exec.is_cancelled(exec.pool)) return;
    each_panel([&](const Panel& panel, int64_t) {
      in_rows(min(args.windows - unit, kTile), [&](int64_t row, auto rows) {
        const float* first = task.units + (unit + row) * pitch;
        compare<decltype(rows)::count>(panel, first, pitch, c, unit + row);
      });
    });
  }
  each_panel([&](const Panel& panel, int64_t source) {
    const int64_t at = source - task.first;
    finish(panel, min(task.last - source, kLanes), c, task.cosine + at, task.nearest + at);
  });
}

// Bits that are ordered as the numbers are.
uint32_t order_of(float x) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, x);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

// The largest bits that at least `rank` of the numbers have or exceed, found from the highest bit down.
uint32_t bound_of(const float* x, int64_t count, int64_t rank) {
  uint32_t bound = 0;
  for (uint32_t bit = 0x80000000u; bit != 0; bit >>= 1) {
    int64_t reached = 0;
    for (int64_t i = 0; i < count; i++) reached += order_of(x[i]) >= (bound | bit) ? 1 : 0;
    if (reached >= rank) bound |= bit;
  }
  return bound;
}

// Numbers the tokens of one picture that stay, and gives those that are merged the numbers of their
// destinations.
void number_rows(const MatchTokensArgs& args, const Matches& matches, int64_t picture) {
  const Sizes size = sizes_of(args);
  const float* cosine = matches.cosine + picture * size.sources;
  const int32_t* nearest = matches.nearest + picture * size.sources;
  int32_t* rows = args.rows + picture * size.tokens;
  const int64_t merged = size.tokens - args.kept;
  const uint32_t bound = bound_of(cosine, size.sources, merged);
  int64_t equal = merged;  // of those at the bound, as many as the others leave, the first ones
  for (int64_t i = 0; i < size.sources; i++) equal -= order_of(cosine[i]) > bound ? 1 : 0;
  constexpr int32_t kGone = -1;
  for (int64_t token = 0; token < size.tokens; token++) rows[token] = 0;
  for (int64_t i = 0; i < size.sources; i++) {
    const uint32_t order = order_of(cosine[i]);
    if (order > bound || (order == bound && equal-- > 0)) rows[matches.sources[i]] = kGone;
  }
  int32_t row = 0;
  for (int64_t token = 0; token < size.tokens; token++) {
    if (rows[token] != kGone) rows[token] = row++;
  }
  for (int64_t i = 0; i < size.sources; i++) {
    int32_t& own = rows[matches.sources[i]];
    // A task that a cancel skipped or ended has left anything here.
    const int64_t window = nearest[i] < 0 ? 0 : min(nearest[i], args.windows - 1);
    if (own == kGone) own = rows[matches.destinations[window]];
  }
}

}  // namespace

ScratchSize match_tokens_scratch(const MatchTokensArgs& args) {
  const Sizes size = sizes_of(args);
  const int64_t shared = args.n * (args.windows * size.pitch + 2 * size.sources) + size.tokens;
  return {static_cast<size_t>(kBlockPanels * panel_floats(args.c)) * sizeof(float),
          static_cast<size_t>(shared) * sizeof(float)};
}

void match_tokens(const MatchTokensArgs& args, const Exec& exec) {
  const Sizes size = sizes_of(args);
  const Matches matches = matches_at(exec.shared_scratch, args);
  list_tokens(args, matches);
  parallel_rows(exec, args.n * args.windows, args.c, [&](int64_t row) {
    const int64_t token = row / args.windows * size.tokens + matches.destinations[row % args.windows];
    make_unit(args.x + token * args.c, args.c, matches.units + row * size.pitch);
  });
  const int64_t blocks = ceil_div(size.sources, kBlockPanels * kLanes);
  parallel_for(exec, args.n * blocks, [&](int64_t index, int thread) {
    const int64_t picture = index / blocks;
    const int64_t first = index % blocks * kBlockPanels * kLanes;
    const int64_t at = picture * size.sources + first;
    const Task task{args.x + picture * size.tokens * args.c,
                    matches.units + picture * args.windows * size.pitch,
                    first,
                    min(size.sources, first + kBlockPanels * kLanes),
                    matches.cosine + at,
                    matches.nearest + at};
    match_sources(args, matches.sources, task, exec, thread);
  });
  parallel_for(exec, args.n, [&](int64_t picture, int) { number_rows(args, matches, picture); });
}

// A task has some rows of y and looks through all tokens for those that belong there.
void merge_tokens(const MergeTokensArgs& args, const Exec& exec) {
  const int64_t c = args.c;
  const int64_t block = rows_per_chunk(c);
  const int64_t blocks = ceil_div(args.kept, block);
  parallel_for(exec, args.n * blocks, [&](int64_t index, int thread) {
    const int64_t picture = index / blocks;
    const int64_t first = index % blocks * block;
    const int64_t count = min(block, args.kept - first);
    const float* x = args.x + picture * args.hw * c;
    const int32_t* rows = args.rows + picture * args.hw;
    float* y = args.y + (picture * args.kept + first) * c;
    int32_t* tokens = exec.scratch<int32_t>(thread);  // of each row, so far
    for (int64_t row = 0; row < count; row++) tokens[row] = 0;
    for (int64_t token = 0; token < args.hw; token++) {
      const int64_t row = rows[token] - first;
      if (row < 0 || row >= count) continue;
      const float* from = x + token * c;
      float* to = y + row * c;
      if (tokens[row]++ == 0) {
        copy(from, to, c);
      } else {
        each_vector(0, c, [=](int64_t j, auto lanes) {
          lanes.store(to + j, lanes.load(to + j) + lanes.load(from + j));
        });
      }
    }
    for (int64_t row = 0; row < count; row++) {
      float* to = y + row * c;
      const Vec divisor = broadcast(static_cast<float>(tokens[row]));
      if (tokens[row] == 0)
        each_vector(0, c, [=](int64_t j, auto lanes) { lanes.store(to + j, broadcast(0.0f)); });
      if (tokens[row] > 1)
        each_vector(0, c, [=](int64_t j, auto lanes) { lanes.store(to + j, lanes.load(to + j) / divisor); });
    }
  });
}

ScratchSize merge_tokens_scratch(const MergeTokensArgs& args) {
  return static_cast<size_t>(min(rows_per_chunk(args.c), args.kept)) * sizeof(int32_t);
}

void unmerge_tokens(const UnmergeTokensArgs& args, const Exec& exec) {
  const int64_t c = args.c;
  const int64_t last = args.kept - 1;
  parallel_rows(exec, args.n * args.hw, c, [&](int64_t token) {
    const int64_t wanted = args.rows[token];
    const int64_t row = token / args.hw * args.kept + (wanted < 0 ? 0 : min(wanted, last));
    const float* x = args.x + row * c;
    const float* residual = args.residual + token * c;
    float* y = args.y + token * c;
    each_vector(0, c, [=](int64_t j, auto lanes) {
      lanes.store(y + j, lanes.load(residual + j) + lanes.load(x + j));
    });
  });
}

ScratchSize unmerge_tokens_scratch(const UnmergeTokensArgs&) {
  return 0;
}

}  // namespace tintype::TINTYPE_ISA
