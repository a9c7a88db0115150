#include "chunk.h"
#include "table.h"

namespace tintype::cuda {

void activation(const ActivationArgs& a, Launcher& launcher) {
  launcher.run("activation", flat_chunks(a.count), chunk_threads, a);
}

void geglu(const GegluArgs& a, Launcher& launcher) {
  launcher.run("geglu", row_chunks(a.m, a.n), chunk_threads, a);
}

}  // namespace tintype::cuda
