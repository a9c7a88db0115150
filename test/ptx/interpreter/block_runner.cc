#include <algorithm>

#include "runners.h"
#include "warp_run.h"

namespace tintype::ptx {

BlockRunner::BlockRunner(const LaunchContext& context)
    : options_(context.options), random_(context.options.seed), block_(context) {}

void BlockRunner::run(int64_t number) {
  block_.start(number);
  Execution& x = block_.execution();
  auto& warps = block_.warps();
  order_.clear();
  for (Warp& w : warps) order_.push_back(&w);
  if (options_.order == WarpOrder::reverse) std::reverse(order_.begin(), order_.end());
  for (;;) {
    if (options_.order == WarpOrder::random) std::shuffle(order_.begin(), order_.end(), random_);
    for (Warp* w : order_) run_warp(x, *w);
    block_.check_warpgroups();
    if (x.running == 0) return;
    if (x.running < static_cast<int>(warps.size())) {
      x.warp = &*std::find_if(warps.begin(), warps.end(), [](const Warp& w) { return !w.done; });
      fail(x, x.kernel.code[static_cast<size_t>(x.warp->pc - 1)],
           "barrier that other warps of the block do not reach");
    }
    for (Warp& w : warps) w.at_barrier = false;
    x.warpgroups.barrier();
    x.view.barrier();
    if (++x.epoch == 0) throw Fault(x.kernel.name + ": too many barriers for the race check");
  }
}

}  // namespace tintype::ptx
