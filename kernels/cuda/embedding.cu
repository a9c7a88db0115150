#include "chunk.cuh"
#include "math.cuh"

namespace tintype::cuda {

namespace {

// A number of a weight that lies as it was in its file.
__device__ float raw(const Weight& w, int64_t index) {
  const uint16_t* half = static_cast<const uint16_t*>(w.data) + index;
  float value;
  switch (w.dtype) {
    case DType::f16:
      asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(*half));
      return value;
    case DType::bf16:
      return __uint_as_float(uint32_t{*half} << 16);
    default:
      return static_cast<const float*>(w.data)[index];
  }
}

// sin and cos of an angle of some thousands at most: quarter turns are taken off in two steps (Cody and
// Waite, 1980), the fast instructions are good to 2^-21 for what remains.
__device__ void sin_cos(float angle, float& sine, float& cosine) {
  const float turns = rintf(angle * 0.63661977236758134f);
  const float rest = fmaf(turns, 4.3711390001862e-8f, fmaf(turns, -1.5707963705062866f, angle));
  const float s = __sinf(rest), c = __cosf(rest);
  const int quarter = static_cast<int>(turns) & 3;
  sine = quarter == 0 ? s : quarter == 1 ? c : quarter == 2 ? -s : -c;
  cosine = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
}

}  // namespace

// Latency: some thousand numbers.
extern "C" __global__ void embedding(EmbeddingArgs a) {
  const RowChunk at(a.m, a.c);
  if (at.count == 0) return;
  const int64_t wanted = a.ids[at.row];
  const int64_t id = wanted < 0 ? 0 : wanted < a.rows ? wanted : a.rows - 1;
  for (int i = 0; i < at.count; i++) {
    const int64_t j = at.column + i;
    const float position = a.positions.data ? raw(a.positions, at.row % a.length * a.c + j) : 0.f;
    put(elements(a.y) + at.first + i, raw(a.table, id * a.c + j) + position);
  }
}

// One thread for each angle, and one behind them for the zero of odd sizes.
extern "C" __global__ void timestep_embedding(TimestepEmbeddingArgs a) {
  const int half = static_cast<int>(a.dim / 2), j = static_cast<int>(threadIdx.x + blockIdx.x * blockDim.x);
  Element* y = elements(a.y) + blockIdx.y * a.dim;
  if (j < half) {
    const float log2_period = 13.287712379549449f;  // of 10000
    float sine, cosine;
    sin_cos(a.t[blockIdx.y] * exp2f(-log2_period * j / (half - a.shift)), sine, cosine);
    put(y + j, a.cos_first ? cosine : sine);
    put(y + half + j, a.cos_first ? sine : cosine);
  } else if (j == half && a.dim % 2 == 1) {
    put(y + a.dim - 1, 0.f);
  }
}

}  // namespace tintype::cuda
