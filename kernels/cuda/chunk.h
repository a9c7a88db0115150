// How many blocks of 256 threads cover numbers of which each thread takes eight (chunk.cuh).
#pragma once
#include "launch.h"

namespace tintype::cuda {

inline constexpr uint32_t chunk_threads = 256;

inline Grid flat_chunks(int64_t count) {
  return {static_cast<uint32_t>(ceil_div(ceil_div(count, 8), chunk_threads))};
}

inline Grid row_chunks(int64_t rows, int64_t c) {
  return {static_cast<uint32_t>(ceil_div(rows * ceil_div(c, 8), chunk_threads))};
}

}  // namespace tintype::cuda
