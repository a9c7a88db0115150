// Shared memory of a block with a shadow: who wrote and read each half-word since the last barrier.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

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
  // For a new block: everything NaN, nobody has touched anything.
  void reset(size_t bytes);
  size_t size() const { return bytes_.size(); }
  uint8_t* at(uint32_t address) { return bytes_.data() + address; }

  // Each returns nullptr, or what is wrong; `detail()` says with whom.
  const char* read(uint32_t address, uint32_t bytes, const Toucher& who);
  const char* write(uint32_t address, uint32_t bytes, const Toucher& who);
  // The target of an asynchronous copy, from its issue on.
  const char* begin_copy(uint32_t address, uint32_t bytes, const Toucher& who);
  // The copy has arrived for the lane that waited for it.
  void end_copy(uint32_t address, uint32_t bytes, const Toucher& who);
  const std::string& detail() const { return detail_; }

 private:
  struct Cell {
    uint8_t writer = none, writer_lane = 0, reader = none, reader_lane = 0;
    bool many_warps_read = false, many_lanes_read = false, in_flight = false;
    uint16_t write_epoch = 0, write_warp_epoch = 0, read_epoch = 0, read_warp_epoch = 0;
  };
  static constexpr uint8_t none = 0xff;

  const char* check_range(uint32_t address, uint32_t bytes);
  const char* check_write(uint32_t address, uint32_t bytes, const Toucher& who, bool in_flight);
  const char* fail(const char* what, int warp, int lane, uint32_t address);

  std::vector<uint8_t> bytes_;
  std::vector<Cell> cells_;
  std::string detail_;
};

}  // namespace tintype::ptx
