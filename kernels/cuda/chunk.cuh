// Eight consecutive numbers: what one thread moves at a time, 16 bytes of elements.
#pragma once
#include "element.cuh"

namespace tintype::cuda {

inline constexpr int chunk = 8;
using Chunk = float[chunk];

__device__ inline void unpack(const uint4& raw, Chunk& v) {
  const uint32_t pairs[] = {raw.x, raw.y, raw.z, raw.w};
#pragma unroll
  for (int i = 0; i < chunk / 2; i++) {
    const float2 pair = unpack(pairs[i]);
    v[2 * i] = pair.x;
    v[2 * i + 1] = pair.y;
  }
}

// All eight, from an address that is a multiple of 16.
__device__ inline void load(const Element* p, Chunk& v) {
  unpack(*reinterpret_cast<const uint4*>(p), v);
}

__device__ inline void store(Element* p, const Chunk& v) {
  *reinterpret_cast<uint4*>(p) =
      make_uint4(pack(v[0], v[1]), pack(v[2], v[3]), pack(v[4], v[5]), pack(v[6], v[7]));
}

__device__ inline void load(const float* p, Chunk& v) {
  const float4 low = reinterpret_cast<const float4*>(p)[0], high = reinterpret_cast<const float4*>(p)[1];
  const float both[] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
  for (int i = 0; i < chunk; i++) v[i] = both[i];
}

__device__ inline void store(float* p, const Chunk& v) {
  reinterpret_cast<float4*>(p)[0] = make_float4(v[0], v[1], v[2], v[3]);
  reinterpret_cast<float4*>(p)[1] = make_float4(v[4], v[5], v[6], v[7]);
}

__device__ inline float to_float(float value) {
  return value;
}
__device__ inline void put(Element* p, float value) {
  *p = to_element(value);
}
__device__ inline void put(float* p, float value) {
  *p = value;
}

// The first `count` of them; the others are 0. `whole` if all eight may be moved at once.
template <class T>
__device__ inline void load(const T* p, int count, bool whole, Chunk& v) {
  if (whole) {
    load(p, v);
  } else {
#pragma unroll
    for (int i = 0; i < chunk; i++) v[i] = i < count ? to_float(p[i]) : 0.f;
  }
}

template <class T>
__device__ inline void store(T* p, int count, bool whole, const Chunk& v) {
  if (whole) {
    store(p, v);
  } else {
#pragma unroll
    for (int i = 0; i < chunk; i++) {
      if (i < count) put(p + i, v[i]);
    }
  }
}

// The chunk of a thread among `count` numbers one after the other; empty behind the end.
struct FlatChunk {
  int64_t first;
  int count;
  bool whole;

  __device__ explicit FlatChunk(int64_t total) {
    first = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) * chunk;
    const int64_t left = total - first;
    count = left < 0 ? 0 : left < chunk ? static_cast<int>(left) : chunk;
    whole = count == chunk;
  }
};

// The chunk of a thread in rows of c numbers; chunks do not straddle rows.
struct RowChunk {
  int64_t row, column, first;  // first = row * c + column
  int count;
  bool whole;  // and every row begins at a multiple of 16 bytes

  __device__ RowChunk(int64_t rows, int64_t c) {
    const int64_t index = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const uint32_t per_row = static_cast<uint32_t>((c + chunk - 1) / chunk);
    row = index / per_row;
    column = index % per_row * chunk;
    first = row * c + column;
    const int64_t left = c - column;
    count = row >= rows ? 0 : left < chunk ? static_cast<int>(left) : chunk;
    whole = count == chunk && c % chunk == 0;
  }
};

}  // namespace tintype::cuda
