// A contraction in place goes round by round: the rows from `first` on may be overwritten up to where the
// input of that row began, so each round takes all rows whose results fit there, at least twice as many as
// all before it. The first round has no such room: its results wait in scratch memory until its input has
// been read.
#include "contraction.h"

#include "elementwise.h"
#include "integers.h"
#include "parallel.h"

namespace tintype::TINTYPE_ISA {
namespace {

constexpr int64_t kFirstRows = 4096;  // 2 MB of results for 128 channels

struct Rows {
  int64_t first, last;
  int64_t count() const { return last - first; }
};

struct Rounds {
  int64_t m, n, k;
  explicit Rounds(const Conv2dArgs& a) : m(a.n * a.h * a.w), n(a.o), k(a.c) {}

  Rows head() const { return {0, min(kFirstRows, m)}; }
  int64_t end_of(int64_t first) const { return min(first * k / n, m); }

  template <class F>
  void each(const F& round) const {
    round(head());
    for (int64_t first = head().last; first < m; first = end_of(first)) round(Rows{first, end_of(first)});
  }

  int64_t head_floats() const { return round_up(head().count() * n, kLine); }
};

void multiply(const Conv2dArgs& a, const Epilogue& all, const Rows& rows, float* y, const Exec& exec) {
  const MatrixRows pixels{a.x + rows.first * a.c, a.c};
  Epilogue epilogue = all;
  epilogue.y = y;
  if (all.residual) epilogue.residual += rows.first * a.o;
  gemm({{rows.count(), a.o, a.c}, pixels.source(), a.weight, epilogue}, exec);
}

}  // namespace

void contraction(const Conv2dArgs& args, const Epilogue& epilogue, const Exec& exec) {
  const Rounds rounds(args);
  if (args.y != args.x) return multiply(args, epilogue, {0, rounds.m}, args.y, exec);

  float* const apart = reinterpret_cast<float*>(exec.shared_scratch);
  Exec rest = exec;
  rest.shared_scratch += rounds.head_floats() * static_cast<int64_t>(sizeof(float));
  rounds.each([&](const Rows& rows) {
    if (rows.first > 0) return multiply(args, epilogue, rows, args.y + rows.first * args.o, rest);
    multiply(args, epilogue, rows, apart, rest);
    parallel_vectors(exec, rows.count() * args.o,
                     [&](int64_t i, auto lanes) { lanes.store(args.y + i, lanes.load(apart + i)); });
  });
}

ScratchSize contraction_scratch(const Conv2dArgs& args) {
  const Rounds rounds(args);
  ScratchSize most = gemm_scratch({rounds.m, args.o, args.c}, args.weight.dtype);
  rounds.each([&](const Rows& rows) {
    const ScratchSize size = gemm_scratch({rows.count(), args.o, args.c}, args.weight.dtype);
    if (size.each > most.each) most.each = size.each;
    if (size.shared > most.shared) most.shared = size.shared;
  });
  most.shared += static_cast<size_t>(rounds.head_floats()) * sizeof(float);
  return most;
}

}  // namespace tintype::TINTYPE_ISA
