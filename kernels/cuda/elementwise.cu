// Additions, scalings and copies: all of them bound by bandwidth.
#include "chunk.cuh"
#include "math.cuh"

namespace tintype::cuda {

extern "C" __global__ void add(AddArgs args) {
  const FlatChunk at(args.count);
  Chunk a, b;
  load(elements(args.a) + at.first, at.count, at.whole, a);
  load(elements(args.b) + at.first, at.count, at.whole, b);
#pragma unroll
  for (int i = 0; i < chunk; i++) a[i] += b[i];
  store(elements(args.y) + at.first, at.count, at.whole, a);
}

extern "C" __global__ void add_row_bias(AddRowBiasArgs a) {
  const RowChunk at(a.n * a.hw, a.c);
  const int64_t picture = a.rows == 1 ? 0 : at.row / a.hw;
  Chunk v, bias;
  load(elements(a.x) + at.first, at.count, at.whole, v);
  load(elements(a.row_bias) + picture * a.c + at.column, at.count, at.whole, bias);
#pragma unroll
  for (int i = 0; i < chunk; i++) v[i] += bias[i];
  store(elements(a.y) + at.first, at.count, at.whole, v);
}

extern "C" __global__ void scale(ScaleArgs a) {
  const FlatChunk at(a.count);
  const float factor = a.factor * (a.by ? *a.by : 1.f);
  Chunk v;
  load(a.x + at.first, at.count, at.whole, v);
#pragma unroll
  for (int i = 0; i < chunk; i++) v[i] *= factor;
  store(elements(a.y) + at.first, at.count, at.whole, v);
}

extern "C" __global__ void narrow(NarrowArgs a) {
  const FlatChunk at(a.count);
  Chunk v;
  load(a.x + at.first, at.count, at.whole, v);
  store(elements(a.y) + at.first, at.count, at.whole, v);
}

extern "C" __global__ void widen(WidenArgs a) {
  const FlatChunk at(a.count);
  Chunk v;
  load(elements(a.x) + at.first, at.count, at.whole, v);
  store(a.y + at.first, at.count, at.whole, v);
}

extern "C" __global__ void concat(ConcatArgs args) {
  const RowChunk at(args.m, args.c);
  const Element* a = elements(args.a) + at.row * args.ca + at.column;
  const Element* b = elements(args.b) + at.row * args.cb + at.column - args.ca;
  Element* y = elements(args.y) + at.first;
  if (at.whole && args.ca % chunk == 0) {
    *reinterpret_cast<uint4*>(y) = *reinterpret_cast<const uint4*>(at.column < args.ca ? a : b);
  } else {
    for (int i = 0; i < at.count; i++) y[i] = at.column + i < args.ca ? a[i] : b[i];
  }
}

extern "C" __global__ void tile(TileArgs a) {
  const RowChunk at(a.times, a.count);
  const Element* x = elements(a.x) + at.column;
  Element* y = elements(a.y) + at.first;
  if (at.whole) {
    *reinterpret_cast<uint4*>(y) = *reinterpret_cast<const uint4*>(x);
  } else {
    for (int i = 0; i < at.count; i++) y[i] = x[i];
  }
}

extern "C" __global__ void upsample(UpsampleArgs a) {
  const RowChunk at(a.n * a.ho * a.wo, a.c);
  const int64_t picture = at.row / (a.ho * a.wo);
  const int64_t oy = at.row / a.wo % a.ho, ox = at.row % a.wo;
  const Element* x = elements(a.x) + ((picture * a.h + oy / 2) * a.w + ox / 2) * a.c + at.column;
  Element* y = elements(a.y) + at.first;
  if (at.whole) {
    *reinterpret_cast<uint4*>(y) = *reinterpret_cast<const uint4*>(x);
  } else {
    for (int i = 0; i < at.count; i++) y[i] = x[i];
  }
}

}  // namespace tintype::cuda
