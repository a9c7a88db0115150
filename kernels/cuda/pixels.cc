#include "chunk.h"
#include "table.h"

namespace tintype::cuda {

void to_pixels(const ToPixelsArgs& a, Launcher& launcher) {
  launcher.run("to_pixels", flat_chunks(a.count), chunk_threads, a);
}

void from_pixels(const FromPixelsArgs& a, Launcher& launcher) {
  launcher.run("from_pixels", flat_chunks(a.count), chunk_threads, a);
}

void sample_gaussian(const SampleGaussianArgs& a, Launcher& launcher) {
  launcher.run("sample_gaussian", row_chunks(a.m, a.c), chunk_threads, a);
}

}  // namespace tintype::cuda
