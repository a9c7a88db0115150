// The state of a block while one of its warps runs, and how handlers reach registers.
#pragma once
#include <bit>
#include <climits>
#include <cstring>
#include <type_traits>
#include <vector>

#include "block_traffic.h"
#include "cluster.h"
#include "device_memory.h"
#include "mbarriers.h"
#include "program.h"
#include "shared_memory.h"
#include "statistics.h"
#include "warpgroups.h"

namespace tintype::ptx {

// An asynchronous copy that has been issued and not waited for.
struct PendingCopy {
  uint32_t target;
  uint64_t source;
  uint8_t source_bytes, bytes, lane;
};

// Lanes that wait at an instruction until the others have come there, as long as one of those can.
struct WaitingLanes {
  int pc;
  uint32_t mask;
  bool needs_others;  // to go on: at a shfl.sync that names more lanes than these
};

// What a warp has looked at in vain: it lets others run before it looks again.
struct Polled {
  bool in_vain = false;
  const Instruction* instruction = nullptr;
  uint32_t mbarrier = 0;
};

struct Warp {
  char* registers = nullptr;
  uint32_t* predicates = nullptr;
  uint8_t id = 0;
  int pc = 0;
  int join = INT_MAX;  // where the next of the waiting lanes are met
  uint32_t mask = 0, alive = 0;
  uint16_t epoch = 1;
  bool done = false, at_barrier = false;
  bool is_at_cluster = false;  // has arrived at barrier.cluster, and not waited
  uint32_t meeting = 0;        // which of those of the cluster that was
  Polled polled;
  std::vector<WaitingLanes> waiting;
  std::vector<PendingCopy> uncommitted;
  std::vector<std::vector<PendingCopy>> groups;
  std::vector<PendingProduct> uncommitted_products;
  std::vector<std::vector<PendingProduct>> product_groups;
  std::vector<ProductRegister> product_registers;  // every register that may be one, by its row
};

struct Execution {
  const Kernel& kernel;
  const DeviceMemory& memory;
  const uint8_t* params;
  Warp* warp = nullptr;
  uint32_t mask = 0;  // lanes for which the guard of the instruction holds
  uint32_t block[3] = {};
  uint16_t epoch = 1;
  bool sampled = false;
  int last_allocation = 0;
  uint8_t* variables = nullptr;     // of the module
  BlockTraffic* traffic = nullptr;  // null where blocks are not watched
  BlockView view{};
  SharedMemory shared{};
  Warpgroups warpgroups{};
  Statistics statistics{};
  Cluster* cluster = nullptr;                 // null where all warps of a block meet at once
  int rank = 0, first_warp = 0, running = 0;  // the block in the cluster, its warps there and those not done
  Mbarriers mbarriers{};

  // In the cluster.
  Who who(int lane) const { return {first_warp + warp->id, static_cast<uint8_t>(lane)}; }
  Toucher toucher(uint8_t lane) const { return {warp->id, lane, epoch, warp->epoch}; }
  int32_t thread(int lane) const { return warp->id * lanes + lane; }
  bool has(int lane) const { return mask >> lane & 1; }
  template <class T>
  T* row(uint32_t offset) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8);
    return reinterpret_cast<T*>(warp->registers + offset);
  }
  uint32_t& predicate(int number) { return warp->predicates[number]; }
  void set_predicate(int number, uint32_t value) {
    uint32_t& p = predicate(number);
    p = (p & ~mask) | (value & mask);
  }
};

// Throws a Fault that names kernel, block, warp and instruction.
[[noreturn]] void fail(const Execution& x, const Instruction& i, const std::string& what);

// Narrow values lie in 32-bit rows with zeros above them.
template <class T>
using Row = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

template <class T>
T from_row(Row<T> value) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<float>(value);
  } else {
    return static_cast<T>(value);
  }
}

template <class T>
Row<T> to_row(T value) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<uint32_t>(value);
  } else {
    return static_cast<std::make_unsigned_t<T>>(value);
  }
}

// Computes all lanes, so that the loop becomes vector code, and keeps those of the mask.
template <class R, class F>
void write_lanes(const Execution& x, R* dst, F value) {
  R result[lanes];
  for (int l = 0; l < lanes; l++) result[l] = value(l);
  if (x.mask == all_lanes) {
    std::memcpy(dst, result, sizeof result);
  } else {
    for (int l = 0; l < lanes; l++) dst[l] = x.has(l) ? result[l] : dst[l];
  }
}

}  // namespace tintype::ptx
