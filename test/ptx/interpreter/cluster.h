// Blocks that run together, and what they share: clocks, a barrier, and the right to touch one another's
// shared memory. A block whose warps meet in other ways than all at once is a cluster of its own.
#pragma once
#include <cstdint>
#include <vector>

#include "clocks.h"

namespace tintype::ptx {

struct Execution;
struct Instruction;

// Where the shared memory of a block begins among the addresses of the cluster, counted from 1; below is the
// own one.
inline constexpr uint32_t cluster_window = 1u << 24;

struct Cluster {
  std::vector<Execution*> blocks;
  Clocks clocks;
  uint64_t progress = 0;  // grows with all that a warp may wait for

  // barrier.cluster: warps that have arrived, and what they have released now and before the last meeting.
  uint32_t meetings = 0;
  int arrived = 0;
  Clock arriving, over;
  // Of each block: how far it must know others to have come when it leaves, for what they did in its memory.
  std::vector<Clock> visits;

  void start(const std::vector<Execution*>& executions, int warps_of_block, int threads_of_block);
  void visit(int block, int column, Time time);
  // All warps that are left have arrived.
  void meet_if_complete();
};

// Where an address of the cluster lies.
struct Place {
  Execution* block;
  uint32_t offset;
  bool is_remote;
};
Place locate(Execution& x, const Instruction& i, uint32_t address);

}  // namespace tintype::ptx
