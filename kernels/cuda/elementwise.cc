#include "chunk.h"
#include "table.h"

namespace tintype::cuda {

void add(const AddArgs& a, Launcher& launcher) {
  launcher.run("add", flat_chunks(a.count), chunk_threads, a);
}

void add_row_bias(const AddRowBiasArgs& a, Launcher& launcher) {
  launcher.run("add_row_bias", row_chunks(a.n * a.hw, a.c), chunk_threads, a);
}

void scale(const ScaleArgs& a, Launcher& launcher) {
  launcher.run("scale", flat_chunks(a.count), chunk_threads, a);
}

void narrow(const NarrowArgs& a, Launcher& launcher) {
  launcher.run("narrow", flat_chunks(a.count), chunk_threads, a);
}

void widen(const WidenArgs& a, Launcher& launcher) {
  launcher.run("widen", flat_chunks(a.count), chunk_threads, a);
}

void concat(const ConcatArgs& a, Launcher& launcher) {
  launcher.run("concat", row_chunks(a.m, a.c), chunk_threads, a);
}

void tile(const TileArgs& a, Launcher& launcher) {
  launcher.run("tile", row_chunks(a.times, a.count), chunk_threads, a);
}

void upsample(const UpsampleArgs& a, Launcher& launcher) {
  launcher.run("upsample", row_chunks(a.n * a.ho * a.wo, a.c), chunk_threads, a);
}

}  // namespace tintype::cuda
