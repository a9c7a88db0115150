#include "chunk.h"
#include "table.h"

namespace tintype::cuda {

void embedding(const EmbeddingArgs& a, Launcher& launcher) {
  launcher.run("embedding", row_chunks(a.m, a.c), chunk_threads, a);
}

void timestep_embedding(const TimestepEmbeddingArgs& a, Launcher& launcher) {
  const uint32_t threads = 128;
  const Grid grid = {static_cast<uint32_t>(ceil_div(a.dim / 2 + 1, threads)), static_cast<uint32_t>(a.m)};
  launcher.run("timestep_embedding", grid, threads, a);
}

}  // namespace tintype::cuda
