// The barriers of a block by number, each for all of its warps or for some: bar.sync and bar.arrive.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "clocks.h"

namespace tintype::ptx {

struct Execution;
struct Instruction;
struct Warp;

class NamedBarriers {
 public:
  void reset(const Clocks& clocks);
  // The running warp has come to bar.sync, and stays there unless it is the last, or to bar.arrive.
  void reach(Execution& x, const Instruction& i, uint32_t threads_of_block);

 private:
  struct Barrier {
    uint32_t threads = 0, arrived = 0;
    std::vector<Warp*> waiting;
    Clock clock;
  };
  void open(Execution& x, Barrier& barrier);
  std::array<Barrier, 16> barriers_;
};

}  // namespace tintype::ptx
