// Additions, scalings and copies, all bound by memory.
#include "elementwise.h"

namespace tintype::TINTYPE_ISA {

void add(const AddArgs& args, const Exec& exec) {
  const float* a = args.a;
  const float* b = args.b;
  float* y = args.y;
  parallel_vectors(exec, args.count,
                   [=](int64_t i, auto lanes) { lanes.store(y + i, lanes.load(a + i) + lanes.load(b + i)); });
}

void add_row_bias(const AddRowBiasArgs& args, const Exec& exec) {
  const int64_t c = args.c;
  parallel_rows(exec, args.n * args.hw, c, [&](int64_t row) {
    const float* x = args.x + row * c;
    const float* bias = args.row_bias + (args.rows == 1 ? 0 : row / args.hw) * c;
    float* y = args.y + row * c;
    each_vector(0, c,
                [=](int64_t i, auto lanes) { lanes.store(y + i, lanes.load(x + i) + lanes.load(bias + i)); });
  });
}

void scale(const ScaleArgs& args, const Exec& exec) {
  const float* x = args.x;
  float* y = args.y;
  const Vec total = broadcast(args.by ? args.factor * args.by[0] : args.factor);
  parallel_vectors(exec, args.count,
                   [=](int64_t i, auto lanes) { lanes.store(y + i, lanes.load(x + i) * total); });
}

void narrow(const NarrowArgs& args, const Exec& exec) {
  const float* x = args.x;
  float* y = args.y;
  parallel_vectors(exec, args.count, [=](int64_t i, auto lanes) { lanes.store(y + i, lanes.load(x + i)); });
}

void widen(const WidenArgs& args, const Exec& exec) {
  const float* x = args.x;
  float* y = args.y;
  parallel_vectors(exec, args.count, [=](int64_t i, auto lanes) { lanes.store(y + i, lanes.load(x + i)); });
}

void concat(const ConcatArgs& args, const Exec& exec) {
  parallel_rows(exec, args.m, args.c, [&](int64_t row) {
    copy(args.a + row * args.ca, args.y + row * args.c, args.ca);
    copy(args.b + row * args.cb, args.y + row * args.c + args.ca, args.cb);
  });
}

void tile(const TileArgs& args, const Exec& exec) {
  const float* x = args.x;
  for (int64_t copy = 0; copy < args.times; copy++) {
    float* y = args.y + copy * args.count;
    parallel_vectors(exec, args.count, [=](int64_t i, auto lanes) { lanes.store(y + i, lanes.load(x + i)); });
  }
}

void upsample(const UpsampleArgs& args, const Exec& exec) {
  const int64_t c = args.c;
  parallel_rows(exec, args.n * args.ho, args.wo * c, [&](int64_t row) {
    const int64_t from = row / args.ho * args.h + row % args.ho / 2;
    const float* x = args.x + from * args.w * c;
    float* y = args.y + row * args.wo * c;
    for (int64_t pixel = 0; pixel < args.wo; pixel++) copy(x + pixel / 2 * c, y + pixel * c, c);
  });
}

ScratchSize add_scratch(const AddArgs&) {
  return 0;
}
ScratchSize add_row_bias_scratch(const AddRowBiasArgs&) {
  return 0;
}
ScratchSize scale_scratch(const ScaleArgs&) {
  return 0;
}
ScratchSize narrow_scratch(const NarrowArgs&) {
  return 0;
}
ScratchSize widen_scratch(const WidenArgs&) {
  return 0;
}
ScratchSize concat_scratch(const ConcatArgs&) {
  return 0;
}
ScratchSize tile_scratch(const TileArgs&) {
  return 0;
}
ScratchSize upsample_scratch(const UpsampleArgs&) {
  return 0;
}

}  // namespace tintype::TINTYPE_ISA
