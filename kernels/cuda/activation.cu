#include "chunk.cuh"
#include "math.cuh"

namespace tintype::cuda {

// Bandwidth: 2 elements for each result.
extern "C" __global__ void activation(ActivationArgs a) {
  const FlatChunk at(a.count);
  Chunk v;
  load(elements(a.x) + at.first, at.count, at.whole, v);
  activate(v, a.activation);
  store(elements(a.y) + at.first, at.count, at.whole, v);
}

// Bandwidth: 3 elements for each result.
extern "C" __global__ void geglu(GegluArgs a) {
  const RowChunk at(a.m, a.n);
  const Element* x = elements(a.x) + at.row * a.n2 + at.column;
  Chunk value, gate;
  load(x, at.count, at.whole, value);
  load(x + a.n, at.count, at.whole, gate);
#pragma unroll
  for (int i = 0; i < chunk; i++) value[i] *= gelu(gate[i]);
  store(elements(a.y) + at.first, at.count, at.whole, value);
}

}  // namespace tintype::cuda
