#include "shared_memory.h"

#include <algorithm>
#include <utility>

namespace tintype::ptx {

namespace {
constexpr uint32_t granule = 2;
constexpr size_t most_threads = 1024;
}  // namespace

void SharedMemory::reset(size_t bytes, Clocks* clocks, int first_warp) {
  bytes_.assign(bytes, 0xff);
  clocks_ = clocks;
  first_warp_ = first_warp;
  if (clocks) return clocked_.reset(static_cast<uint32_t>(bytes), clocks);
  cells_.assign(bytes / granule + 1, Cell());
  fences_.resize(most_threads);
  for (auto& epochs : fences_) epochs.clear();
}

const char* SharedMemory::fail(const char* what, int warp, int lane, uint32_t address) {
  detail_ = "warp " + std::to_string(warp) + " lane " + std::to_string(lane) + ", address " +
            std::to_string(address) + " of " + std::to_string(bytes_.size());
  return what;
}

const char* SharedMemory::with_detail(const char* wrong) {
  if (wrong) detail_ = clocked_.detail();
  return wrong;
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
  if (clocks_) return with_detail(clocked_.read(address, bytes, in_cluster(who)));
  for (uint32_t i = address / granule; i < (address + bytes + 1) / granule; i++) {
    Cell& c = cells_[i];
    if (c.in_flight) return fail("read of a copy in flight from", c.plain.warp, c.plain.lane, address);
    for (const Writes& writes : {c.plain, c.atomic}) {
      if (const char* wrong = check_writes(writes, who, address, "race: read after write by",
                                           "race within a warp: read after write by")) {
        return wrong;
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
  c.plain = {who.warp, who.lane, false, false, who.block_epoch, who.warp_epoch};
  c.fences_before_write = static_cast<uint16_t>(fences_of(who.warp, who.lane).size());
}

// Whether others have read since the last barrier what is written now.
const char* SharedMemory::check_reads(const Cell& c, const Toucher& who, uint32_t address) {
  if (c.read_epoch != who.block_epoch) return nullptr;
  if (c.many_warps_read || c.reader != who.warp) {
    return fail("race: write after read by", c.reader, c.reader_lane, address);
  }
  const bool others = c.reader_lane != who.lane && c.reader_lane != Toucher::all;
  if (c.read_warp_epoch == who.warp_epoch && (c.many_lanes_read || others)) {
    return fail("race within a warp: write after read by", c.reader, c.reader_lane, address);
  }
  return nullptr;
}

// Whether others have written since the last barrier what is touched now.
const char* SharedMemory::check_writes(const Writes& w, const Toucher& who, uint32_t address,
                                       const char* between_warps, const char* within_warp) {
  if (w.epoch != who.block_epoch) return nullptr;
  if (w.many_warps || w.warp != who.warp) return fail(between_warps, w.warp, w.lane, address);
  if (w.warp_epoch == who.warp_epoch && (w.many_lanes || w.lane != who.lane)) {
    return fail(within_warp, w.warp, w.lane, address);
  }
  return nullptr;
}

const char* SharedMemory::check_write(uint32_t address, uint32_t bytes, const Toucher& who, bool in_flight) {
  if (const char* wrong = check_range(address, bytes)) return wrong;
  if (clocks_) {
    return with_detail(in_flight ? clocked_.begin_copy(address, bytes, in_cluster(who))
                                 : clocked_.write(address, bytes, in_cluster(who)));
  }
  for (uint32_t i = address / granule; i < (address + bytes + 1) / granule; i++) {
    Cell& c = cells_[i];
    if (c.in_flight) return fail("write over a copy in flight from", c.plain.warp, c.plain.lane, address);
    if (c.products) return fail("write over what a product in flight reads of", c.reader, 0, address);
    if (const char* wrong = check_reads(c, who, address)) return wrong;
    for (const Writes& writes : {c.plain, c.atomic}) {
      if (const char* wrong = check_writes(writes, who, address, "race: write after write by",
                                           "race within a warp: write after write by")) {
        return wrong;
      }
    }
    note_write(c, who);
    c.in_flight = in_flight;
  }
  return nullptr;
}

const char* SharedMemory::write(uint32_t address, uint32_t bytes, const Toucher& who) {
  return check_write(address, bytes, who, false);
}

const char* SharedMemory::atomic(uint32_t address, const Toucher& who) {
  if (const char* wrong = check_range(address, 4)) return wrong;
  if (clocks_) return with_detail(clocked_.atomic(address, 4, in_cluster(who)));
  for (uint32_t i = address / granule; i < (address + 4) / granule; i++) {
    Cell& c = cells_[i];
    if (c.in_flight) return fail("write over a copy in flight from", c.plain.warp, c.plain.lane, address);
    if (c.products) return fail("write over what a product in flight reads of", c.reader, 0, address);
    if (const char* wrong = check_reads(c, who, address)) return wrong;
    if (const char* wrong = check_writes(c.plain, who, address, "race: atomic operation after write by",
                                         "race within a warp: atomic operation after write by")) {
      return wrong;
    }
    const Writes before = c.atomic;
    c.atomic = {who.warp, who.lane, false, false, who.block_epoch, who.warp_epoch};
    if (before.epoch != who.block_epoch) continue;
    c.atomic.many_warps = before.many_warps || before.warp != who.warp;
    c.atomic.many_lanes =
        before.warp_epoch == who.warp_epoch && (before.many_lanes || before.lane != who.lane);
  }
  return nullptr;
}

const char* SharedMemory::begin_copy(uint32_t address, uint32_t bytes, const Toucher& who) {
  return check_write(address, bytes, who, true);
}

void SharedMemory::end_copy(uint32_t address, uint32_t bytes, const Toucher& who) {
  if (clocks_) return clocked_.end_copy(address, bytes, in_cluster(who));
  for (uint32_t i = address / granule; i < (address + bytes) / granule; i++) {
    Cell& c = cells_[i];
    c.in_flight = false;
    note_write(c, who);
  }
}

void SharedMemory::publish(const Toucher& who) {
  if (clocks_) return clocks_->publish(in_cluster(who));
  fences_of(who.warp, who.lane).push_back(who.block_epoch);
}

const char* SharedMemory::begin_product(uint32_t address, uint32_t bytes, const Toucher& who) {
  if (clocks_) {
    if (const char* wrong = check_range(address, bytes)) return wrong;
    return with_detail(clocked_.begin_product(address, bytes, in_cluster(who)));
  }
  if (const char* wrong = read(address, bytes, who)) return wrong;
  for (uint32_t i = address / granule; i < (address + bytes) / granule; i++) {
    Cell& c = cells_[i];
    c.products++;
    const auto [warp, lane] = std::pair(c.plain.warp, c.plain.lane);
    if (warp == none) continue;
    const auto& fences = fences_of(warp, lane);
    if (fences.size() == c.fences_before_write) {
      return fail("product of what no fence.proxy.async follows, written by", warp, lane, address);
    }
    if (fences[c.fences_before_write] == who.block_epoch) {
      return fail("product without a barrier after the fence.proxy.async of", warp, lane, address);
    }
  }
  return nullptr;
}

void SharedMemory::end_product(uint32_t address, uint32_t bytes, const Toucher& who) {
  if (clocks_) return clocked_.end_product(address, bytes, in_cluster(who));
  for (uint32_t i = address / granule; i < (address + bytes) / granule; i++) {
    cells_[i].products--;
    note_read(cells_[i], who);
  }
}

const char* SharedMemory::begin_bulk_copy(uint32_t address, uint32_t bytes, const Who& who, int mbarrier,
                                          Time time) {
  for (const uint32_t end : {address, address + bytes - 16}) {
    if (const char* wrong = check_range(end, 16)) return wrong;
  }
  return with_detail(clocked_.begin_bulk_copy(address, bytes, who, mbarrier, time));
}

const char* SharedMemory::begin_mbarrier(uint32_t address, const Who& who) {
  if (const char* wrong = check_range(address, 8)) return wrong;
  return with_detail(clocked_.begin_mbarrier(address, who));
}

}  // namespace tintype::ptx
