#include "shared_memory.h"

#include <algorithm>

namespace tintype::ptx {

namespace {
constexpr uint32_t granule = 2;
}

void SharedMemory::reset(size_t bytes) {
  bytes_.assign(bytes, 0xff);
  cells_.assign(bytes / granule + 1, Cell());
}

const char* SharedMemory::fail(const char* what, int warp, int lane, uint32_t address) {
  detail_ = "warp " + std::to_string(warp) + " lane " + std::to_string(lane) + ", address " +
            std::to_string(address) + " of " + std::to_string(bytes_.size());
  return what;
}

const char* SharedMemory::check_range(uint32_t address, uint32_t bytes) {
  if (uint64_t{address} + bytes > bytes_.size()) {
    detail_ = std::to_string(bytes) + " bytes at " + std::to_string(address) + " of " +
              std::to_string(bytes_.size());
    return "shared access out of bounds";
  }
  if (address % std::min(bytes, 16u) != 0) {
    detail_ = std::to_string(bytes) + " bytes at " + std::to_string(address);
    return "misaligned shared access";
  }
  return nullptr;
}

const char* SharedMemory::read(uint32_t address, uint32_t bytes, const Toucher& who) {
  if (const char* wrong = check_range(address, bytes)) return wrong;
  for (uint32_t i = address / granule; i < (address + bytes + 1) / granule; i++) {
    Cell& c = cells_[i];
    if (c.in_flight) return fail("read of a copy in flight from", c.writer, c.writer_lane, address);
    if (c.write_epoch == who.block_epoch) {
      if (c.writer != who.warp) return fail("race: read after write by", c.writer, c.writer_lane, address);
      if (c.writer_lane != who.lane && c.write_warp_epoch == who.warp_epoch) {
        return fail("race within a warp: read after write by", c.writer, c.writer_lane, address);
      }
    }
    if (c.read_epoch != who.block_epoch) {
      c.read_epoch = who.block_epoch;
      c.reader = who.warp;
      c.many_warps_read = false;
    } else if (c.reader != who.warp) {
      c.many_warps_read = true;
    }
    if (c.read_warp_epoch != who.warp_epoch || c.reader_lane == who.lane) {
      c.many_lanes_read = false;
    } else {
      c.many_lanes_read = true;
    }
    c.read_warp_epoch = who.warp_epoch;
    c.reader_lane = who.lane;
  }
  return nullptr;
}

const char* SharedMemory::check_write(uint32_t address, uint32_t bytes, const Toucher& who, bool in_flight) {
  if (const char* wrong = check_range(address, bytes)) return wrong;
  for (uint32_t i = address / granule; i < (address + bytes + 1) / granule; i++) {
    Cell& c = cells_[i];
    if (c.in_flight) return fail("write over a copy in flight from", c.writer, c.writer_lane, address);
    if (c.read_epoch == who.block_epoch) {
      if (c.many_warps_read || c.reader != who.warp) {
        return fail("race: write after read by", c.reader, c.reader_lane, address);
      }
      const bool others = c.reader_lane != who.lane && c.reader_lane != Toucher::all;
      if (c.read_warp_epoch == who.warp_epoch && (c.many_lanes_read || others)) {
        return fail("race within a warp: write after read by", c.reader, c.reader_lane, address);
      }
    }
    if (c.write_epoch == who.block_epoch) {
      if (c.writer != who.warp) return fail("race: write after write by", c.writer, c.writer_lane, address);
      if (c.writer_lane != who.lane && c.write_warp_epoch == who.warp_epoch) {
        return fail("race within a warp: write after write by", c.writer, c.writer_lane, address);
      }
    }
    c.writer = who.warp;
    c.writer_lane = who.lane;
    c.write_epoch = who.block_epoch;
    c.write_warp_epoch = who.warp_epoch;
    c.in_flight = in_flight;
  }
  return nullptr;
}

const char* SharedMemory::write(uint32_t address, uint32_t bytes, const Toucher& who) {
  return check_write(address, bytes, who, false);
}

const char* SharedMemory::begin_copy(uint32_t address, uint32_t bytes, const Toucher& who) {
  return check_write(address, bytes, who, true);
}

void SharedMemory::end_copy(uint32_t address, uint32_t bytes, const Toucher& who) {
  for (uint32_t i = address / granule; i < (address + bytes) / granule; i++) {
    Cell& c = cells_[i];
    c.in_flight = false;
    c.write_epoch = who.block_epoch;
    c.write_warp_epoch = who.warp_epoch;
  }
}

}  // namespace tintype::ptx
