#include <algorithm>
#include <set>

#include "runners.h"
#include "warp_run.h"

namespace tintype::ptx {

namespace {

// Turns in which all warps look in vain: some look at several things before they go on.
constexpr int patience = 1000;

}  // namespace

ClusterRunner::ClusterRunner(const LaunchContext& context)
    : context_(context), random_(context.options.seed) {
  const auto& shape = context.kernel.cluster;
  for (uint32_t i = 0; i < shape[0] * shape[1] * shape[2]; i++) {
    blocks_.push_back(std::make_unique<Block>(context));
  }
  barriers_.resize(blocks_.size());
}

Statistics ClusterRunner::statistics() {
  Statistics all;
  for (const auto& block : blocks_) all.add(block->execution().statistics);
  return all;
}

int64_t ClusterRunner::block_number(int64_t cluster, uint32_t rank) const {
  const cuda::Grid& g = context_.launch.grid;
  const auto& shape = context_.kernel.cluster;
  const int64_t columns = g.x / shape[0], rows = g.y / shape[1];
  const int64_t x = cluster % columns * shape[0] + rank % shape[0];
  const int64_t y = cluster / columns % rows * shape[1] + rank / shape[0] % shape[1];
  const int64_t z = cluster / columns / rows * shape[2] + rank / shape[0] / shape[1];
  return (z * g.y + y) * g.x + x;
}

void ClusterRunner::start(int64_t number) {
  std::vector<Execution*> executions;
  for (const auto& block : blocks_) executions.push_back(&block->execution());
  cluster_.start(executions, static_cast<int>(blocks_[0]->warps().size()),
                 static_cast<int>(context_.launch.threads));
  turns_.clear();
  for (size_t i = 0; i < blocks_.size(); i++) {
    blocks_[i]->start(block_number(number, static_cast<uint32_t>(i)), &cluster_, static_cast<int>(i));
    barriers_[i].reset(cluster_.clocks);
    for (Warp& w : blocks_[i]->warps()) turns_.push_back({&w, blocks_[i].get(), &barriers_[i]});
  }
  if (context_.options.order == WarpOrder::reverse) std::reverse(turns_.begin(), turns_.end());
}

void ClusterRunner::take_turn(const Turn& turn) {
  Warp& w = *turn.warp;
  Execution& x = turn.block->execution();
  w.polled.in_vain = false;
  while (!w.done && !w.at_barrier && !w.polled.in_vain) {
    run_warp(x, w);
    if (!w.at_barrier) continue;
    turn.barriers->reach(x, x.kernel.code[static_cast<size_t>(w.pc - 1)], context_.launch.threads);
  }
}

void ClusterRunner::run(int64_t number) {
  start(number);
  for (int in_vain = 0;;) {
    if (context_.options.order == WarpOrder::random) std::shuffle(turns_.begin(), turns_.end(), random_);
    const uint64_t before = cluster_.progress;
    bool is_over = true;
    for (const Turn& turn : turns_) {
      if (!turn.warp->done && !turn.warp->at_barrier) take_turn(turn);
      is_over = is_over && turn.warp->done;
    }
    if (is_over) break;
    in_vain = cluster_.progress == before ? in_vain + 1 : 0;
    const bool some_look = std::any_of(turns_.begin(), turns_.end(), [](const Turn& turn) {
      return !turn.warp->done && !turn.warp->at_barrier;
    });
    if (in_vain > patience || (in_vain > 0 && !some_look)) report_deadlock();
  }
  check_end();
}

// Names a warp that is stuck, and all that is waited for.
void ClusterRunner::report_deadlock() {
  for (const auto& block : blocks_) block->check_warpgroups();
  const Turn* stuck = nullptr;
  std::set<std::string> missing;
  for (const Turn& turn : turns_) {
    const Warp& w = *turn.warp;
    if (w.done) continue;
    if (!stuck || stuck->warp->at_barrier) stuck = &turn;
    if (w.at_barrier) continue;
    const Execution& x = turn.block->execution();
    const std::string of_block = blocks_.size() > 1 ? " of block " + std::to_string(x.rank) : "";
    // Those of a cluster have no operands.
    missing.insert(w.polled.instruction->src_count ? x.mbarriers.missing(w.polled.mbarrier) + of_block
                                                   : "barrier.cluster that other warps do not reach");
  }
  std::string what;
  for (const std::string& one : missing) what += (what.empty() ? "" : "; ") + one;
  if (missing.empty()) what = "barrier that other warps of the block do not reach";
  const Warp& w = *stuck->warp;
  Execution& x = stuck->block->execution();
  x.warp = stuck->warp;
  fail(x, w.at_barrier ? x.kernel.code[static_cast<size_t>(w.pc - 1)] : *w.polled.instruction,
       "deadlock: " + what);
}

void ClusterRunner::check_end() {
  for (size_t b = 0; b < blocks_.size(); b++) {
    blocks_[b]->check_warpgroups();
    const Clock known = cluster_.clocks.known_in(static_cast<int>(b));
    const Clock& visits = cluster_.visits[b];
    for (size_t c = 0; c < visits.size(); c++) {
      if (visits[c] <= known[c]) continue;
      const int column = static_cast<int>(c);
      const bool is_copy = cluster_.clocks.is_mbarrier(column);
      throw Fault(context_.kernel.name + " block number " + std::to_string(b) + " of its cluster: " +
                  (is_copy ? "block ends with a bulk copy in flight, of "
                           : "block ends while others may access its shared memory: ") +
                  cluster_.clocks.describe(column));
    }
  }
}

}  // namespace tintype::ptx
