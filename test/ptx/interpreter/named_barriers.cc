#include "named_barriers.h"

#include "execution.h"
#include "interpreter.h"

namespace tintype::ptx {

void NamedBarriers::reset(const Clocks& clocks) {
  for (Barrier& b : barriers_) b = {0, 0, {}, clocks.none()};
}

void NamedBarriers::reach(Execution& x, const Instruction& i, uint32_t threads_of_block) {
  Warp& w = *x.warp;
  const uint32_t number = x.row<uint32_t>(i.src[0])[0];
  const uint32_t whole = (threads_of_block + lanes - 1) / lanes * lanes;
  const uint32_t threads = i.src_count > 1 ? x.row<uint32_t>(i.src[1])[0] : whole;
  for (int l = 0; l < lanes; l++) {
    if (!(w.alive >> l & 1)) continue;
    if (x.row<uint32_t>(i.src[0])[l] != number) fail(x, i, "lanes name different barriers");
  }
  if (number >= barriers_.size()) fail(x, i, "barrier of no such number");
  if (threads == 0 || threads % lanes || threads > whole) fail(x, i, "barrier of no such number of threads");
  Barrier& b = barriers_[number];
  if (b.arrived && b.threads != threads) fail(x, i, "warps bring different numbers of threads to a barrier");
  for (const Warp* other : b.waiting) {
    if (other == &w) fail(x, i, "warp comes twice to a barrier");
  }
  b.threads = threads;
  b.arrived += lanes;
  Clocks& clocks = x.cluster->clocks;
  for (int l = 0; l < lanes; l++) {
    if (w.alive >> l & 1) clocks.release(x.who(l), b.clock);
  }
  clocks.tick(x.who(0).warp);
  w.at_barrier = !i.flag;
  if (!i.flag) b.waiting.push_back(&w);
  x.cluster->progress++;
  if (b.arrived == b.threads) open(x, b);
}

void NamedBarriers::open(Execution& x, Barrier& b) {
  Clocks& clocks = x.cluster->clocks;
  for (Warp* w : b.waiting) {
    w->at_barrier = false;
    for (int l = 0; l < lanes; l++) {
      if (w->alive >> l & 1) clocks.acquire({x.first_warp + w->id, static_cast<uint8_t>(l)}, b.clock);
    }
  }
  b = {0, 0, {}, clocks.none()};
  // For other blocks a barrier of some warps is one of all.
  x.view.barrier();
  if (++x.epoch == 0) throw Fault(x.kernel.name + ": too many barriers for the race check");
}

}  // namespace tintype::ptx
