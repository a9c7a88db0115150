// Shared memory of a block with a shadow: who wrote and read each half-word since the last barrier. Where
// warps meet in other ways too, the shadow is that of clocked_shadow.h.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "clocked_shadow.h"

namespace tintype::ptx {

// Who touches shared memory, and how far the block and the warp have come.
struct Toucher {
  static constexpr uint8_t all = 0xfe;  // the lane of an ldmatrix: each one gets what others point at
  uint8_t warp, lane;
  uint16_t block_epoch;  // counts the barriers of the block
  uint16_t warp_epoch;   // counts the __syncwarp of the warp
};

class SharedMemory {
 public:
  // For a new block: everything NaN, nobody has touched anything. With clocks, the warps of the block are
  // those of the cluster from `first_warp` on.
  void reset(size_t bytes, Clocks* clocks = nullptr, int first_warp = 0);
  size_t size() const { return bytes_.size(); }
  uint8_t* at(uint32_t address) { return bytes_.data() + address; }

  // Each returns nullptr, or what is wrong; `detail()` says with whom.
  const char* read(uint32_t address, uint32_t bytes, const Toucher& who);
  const char* write(uint32_t address, uint32_t bytes, const Toucher& who);
  // Of four bytes: a read and a write that do not race with other atomic ones.
  const char* atomic(uint32_t address, const Toucher& who);
  // The target of an asynchronous copy, from its issue on.
  const char* begin_copy(uint32_t address, uint32_t bytes, const Toucher& who);
  // The copy has arrived for the lane that waited for it.
  void end_copy(uint32_t address, uint32_t bytes, const Toucher& who);
  // What the thread has written is there for products of warpgroups, once a barrier has passed.
  void publish(const Toucher& who);
  // A product that reads this goes on until the warp has waited for it.
  const char* begin_product(uint32_t address, uint32_t bytes, const Toucher& who);
  void end_product(uint32_t address, uint32_t bytes, const Toucher& who);
  // With clocks.
  const char* begin_bulk_copy(uint32_t address, uint32_t bytes, const Who& who, int mbarrier, Time time);
  void end_bulk_copy(uint32_t address, uint32_t bytes) { clocked_.end_bulk_copy(address, bytes); }
  const char* begin_mbarrier(uint32_t address, const Who& who);
  void end_mbarrier(uint32_t address, const Who& who) { clocked_.end_mbarrier(address, who); }
  const std::string& detail() const { return detail_; }

 private:
  static constexpr uint8_t none = 0xff;
  // The last of the threads that wrote, and whether others did in the same epochs.
  struct Writes {
    uint8_t warp = none, lane = 0;
    bool many_warps = false, many_lanes = false;
    uint16_t epoch = 0, warp_epoch = 0;
  };
  struct Cell {
    Writes plain, atomic;
    uint8_t reader = none, reader_lane = 0;
    bool many_warps_read = false, many_lanes_read = false, in_flight = false;
    uint16_t read_epoch = 0, read_warp_epoch = 0;
    uint16_t fences_before_write = 0;  // of the writer
    uint16_t products = 0;             // in flight that read it
  };

  // The epochs of the block in which a thread has published.
  std::vector<uint16_t>& fences_of(uint8_t warp, uint8_t lane) { return fences_[warp * size_t{32} + lane]; }
  static void note_read(Cell& cell, const Toucher& who);
  void note_write(Cell& cell, const Toucher& who);
  const char* check_reads(const Cell& cell, const Toucher& who, uint32_t address);
  const char* check_writes(const Writes& writes, const Toucher& who, uint32_t address,
                           const char* between_warps, const char* within_warp);
  const char* check_range(uint32_t address, uint32_t bytes);
  const char* check_write(uint32_t address, uint32_t bytes, const Toucher& who, bool in_flight);
  const char* fail(const char* what, int warp, int lane, uint32_t address);
  Who in_cluster(const Toucher& who) const { return {first_warp_ + who.warp, who.lane}; }
  // What the clocked shadow found.
  const char* with_detail(const char* wrong);

  Clocks* clocks_ = nullptr;
  int first_warp_ = 0;
  ClockedShadow clocked_;
  std::vector<uint8_t> bytes_;
  std::vector<Cell> cells_;
  std::vector<std::vector<uint16_t>> fences_;
  std::string detail_;
};

}  // namespace tintype::ptx
