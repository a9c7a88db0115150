// Group normalisation over NHWC with its activation. Two passes over memory: statistics by blocks of rows,
// then one multiply-add and the activation for each element. Both are bound by bandwidth.
// Two cores of a Sapphire Rapids, AVX-512: 55 GB/s without, 40 with SiLU for (2, 4096, 320); 21 for (1,
// 262144, 128), which no cache holds. One core copies 30 GB/s.
#include "integers.h"
#include "normalize.h"

namespace tintype::TINTYPE_ISA {
namespace {

constexpr int64_t kBlockRows = 64;  // pixels whose sums are kept in float
constexpr int64_t kMaxTasks = 64;   // per picture: partial statistics stay small, and 16 threads are busy
constexpr int kColumns = 4;         // vectors of channels that are summed side by side

struct Partial {
  double mean, squares;  // squares: the sum of squared deviations from the mean
};

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
  return static_cast<size_t>(a.n * cut_of(a.hw).tasks * a.groups) * sizeof(Partial);
}

template <class Args>
size_t sums_bytes(const Args& a) {
  return static_cast<size_t>(2 * a.c) * sizeof(float) + static_cast<size_t>(a.groups) * sizeof(Partial);
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

// Merges the statistics of `more` elements a group into those of `count` (Chan, Golub and LeVeque, 1983,
// equation 2.1).
void merge(Partial* into, int64_t count, const Partial* from, int64_t more, int64_t groups) {
  const double share = static_cast<double>(more) / static_cast<double>(count + more);
  const double weight = static_cast<double>(count) * share;
  for (int64_t group = 0; group < groups; group++) {
    const double delta = from[group].mean - into[group].mean;
    into[group].mean += delta * share;
    into[group].squares += from[group].squares + delta * delta * weight;
  }
}

// The statistics of each group over the rows of a block, from the shifted sums of its channels.
void block_partials(const Groups& args, const float* x, int64_t rows, const float* sum, const float* squares,
                    Partial* groups) {
  const int64_t width = args.c / args.groups;
  const double each = 1.0 / static_cast<double>(rows);
  for (int64_t group = 0; group < args.groups; group++) {
    const int64_t first = group * width;
    // Channel means relative to that of the first channel's first row: their spread is summed without
    // cancellation.
    const double origin = x[first];
    double means = 0;
    double spread = 0;
    double within = 0;
    for (int64_t j = first; j < first + width; j++) {
      const double offset = sum[j] * each;
      const double mean = x[j] - origin + offset;
      within += squares[j] - offset * sum[j];
      means += mean;
      spread += mean * mean;
    }
    const double mean = means / static_cast<double>(width);
    const double between = spread - mean * means;
    groups[group] = {origin + mean, within + between * static_cast<double>(rows)};
  }
}

// The statistics of each group over rows [0, rows), a block at a time.
void task_partials(const Groups& args, const float* x, int64_t rows, float* sums, Partial* partials) {
  const int64_t c = args.c;
  const int64_t width = c / args.groups;
  float* squares = sums + c;
  Partial* block = reinterpret_cast<Partial*>(squares + c);
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
void finish_statistics(const Groups& args, const Cut& cut, Partial* total, int64_t picture,
                       const Results& out) {
  const int64_t width = args.c / args.groups;
  for (int64_t task = 1; task < cut.tasks; task++) {
    const int64_t before = task * cut.task_rows;
    const int64_t rows = args.hw - before < cut.task_rows ? args.hw - before : cut.task_rows;
    merge(total, before * width, total + task * args.groups, rows * width, args.groups);
  }
  for (int64_t j = 0; j < args.c; j++) {
    const Partial& group = total[j / width];
    set_factors(args, picture, j, group.mean, group.squares / static_cast<double>(args.hw * width), out);
  }
}

// From the mean and variance of each channel of a picture.
void pool_channels(const Groups& args, const float* means, const float* variances, int64_t picture,
                   const Results& out) {
  const int64_t width = args.c / args.groups;
  for (int64_t first = 0; first < args.c; first += width) {
    // As in block_partials.
    const double origin = means[first];
    double sum = 0;
    double spread = 0;
    double within = 0;
    for (int64_t j = first; j < first + width; j++) {
      const double mean = means[j] - origin;
      within += variances[j];
      sum += mean;
      spread += mean * mean;
    }
    const double mean = sum / static_cast<double>(width);
    const double variance = (within + spread - mean * sum) / static_cast<double>(width);
    for (int64_t j = first; j < first + width; j++) {
      set_factors(args, picture, j, origin + mean, variance, out);
    }
  }
}

void compute_factors(const Groups& args, const Results& out, const Exec& exec) {
  const Cut cut = cut_of(args.hw);
  Partial* partials = reinterpret_cast<Partial*>(exec.shared_scratch);
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
