#include "shared_memory.h"

#include <algorithm>

namespace tintype::ptx {

namespace {
constexpr uint32_t granule = 2;
constexpr size_t most_threads = 1024;
}  // namespace

void SharedMemory::reset(size_t bytes) {
  bytes_.assign(bytes, 0xff);
  cells_.assign(bytes / granule + 1, Cell());
  fences_.resize(most_threads);
  for (auto& epochs : fences_) epochs.clear();
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
    note_read(c, who);
  }
  return nullptr;
}

void SharedMemory::note_read(Cell& c, const Toucher& who) {
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

void SharedMemory::note_write(Cell& c, const Toucher& who) {
  c.write_epoch = who.block_epoch;
  c.write_warp_epoch = who.warp_epoch;
  c.fences_before_write = static_cast<uint16_t>(fences_of(who.warp, who.lane).size());
}

const char* SharedMemory::check_write(uint32_t address, uint32_t bytes, const Toucher& who, bool in_flight) {
  if (const char* wrong = check_range(address, bytes)) return wrong;
  for (uint32_t i = address / granule; i < (address + bytes + 1) / granule; i++) {
    Cell& c = cells_[i];
    if (c.in_flight) return fail("write over a copy in flight from", c.writer, c.writer_lane, address);
    if (c.products) return fail("write over what a product in flight reads of", c.reader, 0, address);
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
    note_write(c, who);
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
    note_write(c, who);
  }
}

void SharedMemory::publish(const Toucher& who) {
  fences_of(who.warp, who.lane).push_back(who.block_epoch);
}

const char* SharedMemory::begin_product(uint32_t address, uint32_t bytes, const Toucher& who) {
  if (const char* wrong = read(address, bytes, who)) return wrong;
  for (uint32_t i = address / granule; i < (address + bytes) / granule; i++) {
    Cell& c = cells_[i];
    c.products++;
    if (c.writer == none) continue;
    const auto& fences = fences_of(c.writer, c.writer_lane);
    if (fences.size() == c.fences_before_write) {
      return fail("product of what no fence.proxy.async follows, written by", c.writer, c.writer_lane,
                  address);
    }
    if (fences[c.fences_before_write] == who.block_epoch) {
      return fail("product without a barrier after the fence.proxy.async of", c.writer, c.writer_lane,
                  address);
    }
  }
  return nullptr;
}

void SharedMemory::end_product(uint32_t address, uint32_t bytes, const Toucher& who) {
  for (uint32_t i = address / granule; i < (address + bytes) / granule; i++) {
    cells_[i].products--;
    note_read(cells_[i], who);
  }
}

}  // namespace tintype::ptx
