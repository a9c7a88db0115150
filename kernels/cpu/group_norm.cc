// Group normalisation over NHWC with its activation. Two passes over memory: statistics by blocks of rows,
// then one multiply-add and the activation for each element. Both are bound by bandwidth.
// Two cores of a Sapphire Rapids, AVX-512: 55 GB/s without, 40 with SiLU for (2, 4096, 320); 21 for (1,
// 262144, 128), which no cache holds. One core copies 30 GB/s.
#include "integers.h"
#include "moments.h"
#include "normalize.h"

namespace tintype::TINTYPE_ISA {
namespace {

constexpr int64_t kBlockRows = 64;  // pixels whose sums are kept in float
constexpr int64_t kMaxTasks = 64;   // per picture: partial statistics stay small, and 16 threads are busy
constexpr int kColumns = 4;         // vectors of channels that are summed side by side

// What both ops are about: x (n, hw, c) in groups of channels.
struct Groups {
  const float *x, *gamma, *beta;
  int64_t n, hw, c, groups;
  float eps;
};

template <class Args>
Groups groups_of(const Args& a) {
  return {a.x, a.gamma, a.beta, a.n, a.hw, a.c, a.groups, a.eps};
}

// Where the factors go: (n, c).
struct Results {
  float *mean, *factor, *shift;
};

// How a picture is cut.
struct Cut {
  int64_t task_rows, tasks;  // pixels to a task, tasks to a picture
};

Cut cut_of(int64_t hw) {
  const int64_t rows = kBlockRows * ceil_div(ceil_div(hw, kBlockRows), kMaxTasks);
  return {rows, ceil_div(hw, rows)};
}

// Bytes of the partial statistics, (n, tasks, groups), in the scratch memory that all threads share.
template <class Args>
size_t partials_bytes(const Args& a) {
  return static_cast<size_t>(a.n * cut_of(a.hw).tasks * a.groups) * sizeof(Moments);
}

template <class Args>
size_t sums_bytes(const Args& a) {
  return static_cast<size_t>(2 * a.c) * sizeof(float) + static_cast<size_t>(a.groups) * sizeof(Moments);
}

// Sums of rows [0, rows) of some vectors of channels, shifted by the first row: sums of what is near 0 lose
// little however large the mean. sum and squares get one float for each channel.
template <int vectors, class Lanes>
void sum_columns(const float* x, int64_t rows, int64_t c, Lanes lanes, float* sum, float* squares) {
  Vec pivot[vectors], total[vectors], total_squares[vectors];
  for (int v = 0; v < vectors; v++) {
    pivot[v] = lanes.load(x + v * kWidth);
    total[v] = total_squares[v] = broadcast(0.0f);
  }
  for (int64_t row = 1; row < rows; row++) {
    for (int v = 0; v < vectors; v++) {
      const Vec shifted = lanes.load(x + row * c + v * kWidth) - pivot[v];
      total[v] = total[v] + shifted;
      total_squares[v] = fma(shifted, shifted, total_squares[v]);
    }
  }
  for (int v = 0; v < vectors; v++) {
    lanes.store(sum + v * kWidth, total[v]);
    lanes.store(squares + v * kWidth, total_squares[v]);
  }
}

// The statistics of each group over the rows of a block, from the shifted sums of its channels.
void block_partials(const Groups& args, const float* x, int64_t rows, const float* sum, const float* squares,
                    Moments* groups) {
  const int64_t width = args.c / args.groups;
  const double each = 1.0 / static_cast<double>(rows);
  for (int64_t group = 0; group < args.groups; group++) {
    const int64_t first = group * width;
    EqualSets channels(x[first]);
    for (int64_t j = first; j < first + width; j++) {
      const double offset = sum[j] * each;
      channels.add(x[j] - channels.origin + offset, squares[j] - offset * sum[j]);
    }
    groups[group] = channels.joined(width, rows);
  }
}

// The statistics of each group over rows [0, rows), a block at a time.
void task_partials(const Groups& args, const float* x, int64_t rows, float* sums, Moments* partials) {
  const int64_t c = args.c;
  const int64_t width = c / args.groups;
  float* squares = sums + c;
  Moments* block = reinterpret_cast<Moments*>(squares + c);
  for (int64_t row = 0; row < rows; row += kBlockRows) {
    const int64_t some = rows - row < kBlockRows ? rows - row : kBlockRows;
    const float* from = x + row * c;
    int64_t j = 0;
    for (; j + kColumns * kWidth <= c; j += kColumns * kWidth) {
      sum_columns<kColumns>(from + j, some, c, AllLanes{}, sums + j, squares + j);
    }
    each_vector(j, c, [&](int64_t i, auto lanes) {
      sum_columns<1>(from + i, some, c, lanes, sums + i, squares + i);
    });
    block_partials(args, from, some, sums, squares, row ? block : partials);
    if (row) merge(partials, row * width, block, some * width, args.groups);
  }
}

// What the second pass multiplies and adds for channel j of a picture. The mean as a float may be off by half
// an ulp of a large number: what it lacks is moved to the shift.
void set_factors(const Groups& args, int64_t picture, int64_t j, double group_mean, double variance,
                 const Results& out) {
  const float mean = static_cast<float>(group_mean);
  const float factor = args.gamma[j] / square_root(static_cast<float>(variance) + args.eps);
  const int64_t at = picture * args.c + j;
  out.mean[at] = mean;
  out.factor[at] = factor;
  out.shift[at] = args.beta[j] - static_cast<float>(group_mean - mean) * factor;
}

// From the partial statistics of a picture's tasks in their order.
void finish_statistics(const Groups& args, const Cut& cut, Moments* total, int64_t picture,
                       const Results& out) {
  const int64_t width = args.c / args.groups;
  for (int64_t task = 1; task < cut.tasks; task++) {
    const int64_t before = task * cut.task_rows;
    const int64_t rows = args.hw - before < cut.task_rows ? args.hw - before : cut.task_rows;
    merge(total, before * width, total + task * args.groups, rows * width, args.groups);
  }
  for (int64_t j = 0; j < args.c; j++) {
    const Moments& group = total[j / width];
    set_factors(args, picture, j, group.mean, group.squares / static_cast<double>(args.hw * width), out);
  }
}

// From the mean and variance of each channel of a picture.
void pool_channels(const Groups& args, const float* means, const float* variances, int64_t picture,
                   const Results& out) {
  const int64_t width = args.c / args.groups;
  for (int64_t first = 0; first < args.c; first += width) {
    EqualSets channels(means[first]);
    for (int64_t j = first; j < first + width; j++) channels.add(means[j] - channels.origin, variances[j]);
    const Moments group = channels.joined(width, 1);
    for (int64_t j = first; j < first + width; j++) {
      set_factors(args, picture, j, group.mean, group.squares / static_cast<double>(width), out);
    }
  }
}

void compute_factors(const Groups& args, const Results& out, const Exec& exec) {
  const Cut cut = cut_of(args.hw);
  Moments* partials = reinterpret_cast<Moments*>(exec.shared_scratch);
  parallel_for(exec, args.n * cut.tasks, [&](int64_t task, int thread) {
    const int64_t picture = task / cut.tasks;
    const int64_t first = task % cut.tasks * cut.task_rows;
    const int64_t rows = args.hw - first < cut.task_rows ? args.hw - first : cut.task_rows;
    task_partials(args, args.x + (picture * args.hw + first) * args.c, rows, exec.scratch<float>(thread),
                  partials + task * args.groups);
  });
  for (int64_t picture = 0; picture < args.n; picture++) {
    finish_statistics(args, cut, partials + picture * cut.tasks * args.groups, picture, out);
  }
}

}  // namespace

ScratchSize group_factors_scratch(const GroupFactorsArgs& args) {
  if (!args.x) return {0};
  return {sums_bytes(args), partials_bytes(args)};
}

void group_factors(const GroupFactorsArgs& args, const Exec& exec) {
  const Results out{args.mean, args.factor, args.shift};
  if (args.x) return compute_factors(groups_of(args), out, exec);
  for (int64_t picture = 0; picture < args.n; picture++) {
    const int64_t at = picture * args.c;
    pool_channels(groups_of(args), args.channel_mean + at, args.channel_variance + at, picture, out);
  }
}

ScratchSize group_norm_scratch(const GroupNormArgs& args) {
  return {sums_bytes(args), partials_bytes(args) + static_cast<size_t>(3 * args.n * args.c) * sizeof(float)};
}

void group_norm(const GroupNormArgs& args, const Exec& exec) {
  float* mean = reinterpret_cast<float*>(exec.shared_scratch + partials_bytes(args));
  const Results factors{mean, mean + args.n * args.c, mean + 2 * args.n * args.c};
  compute_factors(groups_of(args), factors, exec);
  with_activation(args.activation, [&](auto kind) {
    parallel_chunks(exec, args.n * args.hw, rows_per_chunk(args.c), [&](int64_t first, int64_t last) {
      for (int64_t row = first, next; row < last; row = next) {
        const int64_t picture = row / args.hw;
        next = last < (picture + 1) * args.hw ? last : (picture + 1) * args.hw;
        const Factors own = Factors{factors.mean, factors.factor, factors.shift}.of_picture(picture, args.c);
        normalize<decltype(kind)::value>(args.x + row * args.c, own, next - row, args.c,
                                         args.y + row * args.c);
      }
    });
  });
}

}  // namespace tintype::TINTYPE_ISA
