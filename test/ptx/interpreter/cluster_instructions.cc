// What blocks of a cluster do together: addresses in one another's shared memory, and barrier.cluster.
#include "cluster.h"

#include <algorithm>

#include "execution.h"
#include "instruction_set.h"
#include "memory_access.h"

namespace tintype::ptx {

void Cluster::start(const std::vector<Execution*>& executions, int warps_of_block, int threads_of_block) {
  blocks = executions;
  clocks.reset(static_cast<int>(blocks.size()), warps_of_block, threads_of_block);
  progress = 0;
  meetings = 0;
  arrived = 0;
  arriving = over = clocks.none();
  visits.assign(blocks.size(), clocks.none());
}

void Cluster::visit(int block, int column, Time time) {
  Time& last = visits[static_cast<size_t>(block)][static_cast<size_t>(column)];
  last = std::max(last, time);
}

void Cluster::meet_if_complete() {
  int running = 0;
  for (const Execution* block : blocks) running += block->running;
  if (arrived == 0 || arrived < running) return;
  over = arriving;
  arrived = 0;
  meetings++;
  progress++;
}

Place locate(Execution& x, const Instruction& i, uint32_t address) {
  if (address < cluster_window) return {&x, address, false};
  const uint32_t rank = address / cluster_window - 1;
  if (rank >= x.cluster->blocks.size()) fail(x, i, "address in a block that the cluster does not have");
  Execution* block = x.cluster->blocks[rank];
  if (block->running == 0) fail(x, i, "remote access to a block that has exited");
  return {block, address % cluster_window, block != &x};
}

void map_address(Execution& x, const Instruction& i) {
  const uint32_t *address = x.row<uint32_t>(i.src[0]), *rank = x.row<uint32_t>(i.src[1]);
  for (int l = 0; l < lanes; l++) {
    if (!x.has(l)) continue;
    if (address[l] >= cluster_window) fail(x, i, "mapa of an address that is none of this block");
    if (rank[l] >= x.cluster->blocks.size()) fail(x, i, "mapa to a block that the cluster does not have");
  }
  write_lanes(x, x.row<uint32_t>(i.dst[0]),
              [&](int l) { return address[l] + (rank[l] + 1) * cluster_window; });
}

void arrive_at_cluster(Execution& x, const Instruction& i) {
  Warp& w = *x.warp;
  Cluster& cluster = *x.cluster;
  if (x.mask != w.alive) fail(x, i, "barrier.cluster reached by a part of the warp");
  if (w.is_at_cluster) fail(x, i, "barrier.cluster.arrive without a wait after the last one");
  w.is_at_cluster = true;
  w.meeting = cluster.meetings;
  for (int l = 0; l < lanes; l++) {
    if (!x.has(l)) continue;
    if (i.flag) {
      cluster.clocks.release(x.who(l), cluster.arriving);
    } else {
      cluster.clocks.release_inits(x.who(l), cluster.arriving);
    }
  }
  cluster.clocks.tick(x.who(0).warp);
  cluster.arrived++;
  cluster.progress++;
  cluster.meet_if_complete();
}

// Is executed again until all have arrived.
void wait_for_cluster(Execution& x, const Instruction& i) {
  Warp& w = *x.warp;
  if (x.mask != w.alive) fail(x, i, "barrier.cluster reached by a part of the warp");
  if (!w.is_at_cluster) fail(x, i, "barrier.cluster.wait without an arrive");
  if (x.cluster->meetings == w.meeting) {
    w.polled = {true, &i, 0};
    w.pc--;
    return;
  }
  w.is_at_cluster = false;
  for (int l = 0; l < lanes; l++) {
    if (x.has(l) && i.flag) x.cluster->clocks.acquire(x.who(l), x.cluster->over);
  }
}

}  // namespace tintype::ptx
