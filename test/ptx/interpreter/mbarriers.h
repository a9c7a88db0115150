// The mbarriers of a block: objects in shared memory that threads arrive at and wait for, phase by phase, and
// that bulk copies report to. Copies arrive as late as they can: when all threads of the phase have arrived
// and somebody looks.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "shared_memory.h"

namespace tintype::ptx {

// Those that are beyond the block see only what is done for all of the cluster.
enum class Scope : uint8_t { block, cluster };

// A thread that does something with an mbarrier, its own block's or another's.
struct Caller {
  Who who;
  bool is_remote = false;
};

class Mbarriers {
 public:
  // Of a new block.
  void reset(Clocks* clocks, SharedMemory* shared, int block);

  // Each returns nullptr, or what is wrong; `detail()` says more.
  const char* init(uint32_t address, uint32_t count, const Who& who);
  const char* invalidate(uint32_t address, const Who& who);
  // What this thread has initialized may be signalled by the async proxy and by other blocks.
  void fence_inits(const Who& who);
  const char* expect(uint32_t address, uint32_t bytes, const Caller& caller);
  struct Arrival {
    uint32_t count = 1;
    Scope scope = Scope::block;
    bool releases = true;
  };
  const char* arrive(uint32_t address, const Arrival& arrival, const Caller& caller);
  // The number of the phase that is going on.
  const char* phase(uint32_t address, const Caller& caller, uint64_t& phase);
  struct Wait {
    bool by_parity = true;
    uint64_t phase = 0;  // or its parity
    Scope scope = Scope::block;
    bool acquires = true;
  };
  const char* wait(uint32_t address, const Wait& wait, const Who& who, bool& over);
  // Chunks of 16 bytes from global memory to this block, or zeros where there is no source, signalled to one
  // of its mbarriers.
  struct BulkCopy {
    uint32_t target;
    std::vector<const uint8_t*> chunks;
    uint32_t bytes() const { return static_cast<uint32_t>(chunks.size()) * 16; }
  };
  const char* copy(uint32_t address, const BulkCopy& copy, const Caller& caller, int& column, Time& time);
  // "2 arrivals and 1024 bytes are missing at the mbarrier at 8"
  std::string missing(uint32_t address) const;
  const std::string& detail() const { return detail_; }

 private:
  struct Mbarrier {
    int column;
    int initializer;  // a column
    uint32_t count, pending;
    int64_t bytes = 0;  // expected, and not copied yet
    uint64_t phase = 0;
    std::vector<BulkCopy> copies;   // in flight
    std::map<int, Time> observers;  // warps that have seen the end of the last phase, and when
    // What arrivals have released, up to now and up to the end of the last phase: those of the block, and
    // those of the cluster.
    Clock arrived[2], over[2];
  };

  Mbarrier* find(uint32_t address, const Who& who, Time needs, const char*& wrong);
  const char* end_phase(uint32_t address, Mbarrier& m);
  const char* end_copies(uint32_t address, Mbarrier& m);
  const char* fail(const char* what, uint32_t address);
  static Time after(uint64_t phases) { return static_cast<Time>(Clocks::init_fenced + phases); }

  Clocks* clocks_ = nullptr;
  SharedMemory* shared_ = nullptr;
  int block_ = 0, made_ = 0;
  std::map<uint32_t, Mbarrier> mbarriers_;
  std::string detail_;
};

}  // namespace tintype::ptx
