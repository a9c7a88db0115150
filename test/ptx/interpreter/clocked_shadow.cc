#include "clocked_shadow.h"

#include <algorithm>
#include <bit>

#include "program.h"
#include "shared_memory.h"

namespace tintype::ptx {

namespace {

constexpr uint32_t granule = 2, chunk_bytes = 16;

enum Verb { reading, writing, changing };
// What follows a write that is not known to come before it: by another warp, within a warp, by a bulk copy.
constexpr const char* races[][3] = {
    {"race: read after write by", "race within a warp: read after write by",
     "race: read after a bulk copy that nobody waited for, of"},
    {"race: write after write by", "race within a warp: write after write by",
     "race: write after a bulk copy that nobody waited for, of"},
    {"race: atomic operation after write by", "race within a warp: atomic operation after write by",
     "race: atomic operation after a bulk copy that nobody waited for, of"}};

}  // namespace

void ClockedShadow::reset(uint32_t bytes, Clocks* clocks) {
  clocks_ = clocks;
  bytes_ = bytes;
  chunks_.resize(bytes / chunk_bytes + 1);
  for (Chunk& chunk : chunks_) {
    chunk.parts.clear();
    Cell& cell = chunk.whole;
    cell.writer = nobody;
    cell.products = 0;
    cell.in_flight = cell.is_mbarrier = false;
    cell.touches.clear();
  }
}

// Until one of them is wrong.
template <class F>
const char* ClockedShadow::each(uint32_t address, uint32_t bytes, F f) {
  for (uint32_t at = address; at < address + bytes;) {
    const uint32_t begin = at / chunk_bytes * chunk_bytes;
    const uint32_t end = std::min(address + bytes, begin + chunk_bytes);
    Chunk& chunk = chunks_[at / chunk_bytes];
    if (end - at < chunk_bytes && chunk.parts.empty()) chunk.parts.assign(chunk_bytes / granule, chunk.whole);
    if (chunk.parts.empty()) {
      if (const char* wrong = f(chunk.whole)) return wrong;
    } else {
      for (uint32_t i = (at - begin) / granule; i < (end - begin + granule - 1) / granule; i++) {
        if (const char* wrong = f(chunk.parts[i])) return wrong;
      }
    }
    at = end;
  }
  return nullptr;
}

// Chunks that have been written as a whole have one cell again.
void ClockedShadow::join(uint32_t address, uint32_t bytes) {
  const uint32_t first = (address + chunk_bytes - 1) / chunk_bytes, end = (address + bytes) / chunk_bytes;
  for (uint32_t i = first; i < end; i++) {
    Chunk& chunk = chunks_[i];
    if (chunk.parts.empty()) continue;
    chunk.whole = std::move(chunk.parts[0]);
    chunk.parts.clear();
  }
}

const char* ClockedShadow::fail(const char* what, int column, uint32_t address) {
  detail_ = column == nobody ? "" : clocks_->describe(column) + ", ";
  detail_ += "address " + std::to_string(address) + " of " + std::to_string(bytes_);
  return what;
}

const char* ClockedShadow::check_state(const Cell& c, uint32_t address, bool writes) {
  if (c.is_mbarrier) return fail("ordinary access to an mbarrier,", nobody, address);
  if (c.in_flight) {
    if (clocks_->is_mbarrier(c.writer)) {
      return fail(writes ? "write over a bulk copy in flight, of" : "read of a bulk copy in flight, of",
                  c.writer, address);
    }
    return fail(writes ? "write over a copy in flight from" : "read of a copy in flight from", c.writer,
                address);
  }
  if (writes && c.products) {
    const int reader = c.touches.empty() ? nobody : clocks_->column(c.touches.back().warp, 0);
    return fail("write over what a product in flight reads of", reader, address);
  }
  return nullptr;
}

const char* ClockedShadow::check_writer(const Cell& c, const Who& who, uint32_t address, int verb) {
  if (c.writer == nobody || clocks_->knows(who, c.writer, c.time)) return nullptr;
  const int how = clocks_->is_mbarrier(c.writer) ? 2 : c.writer / lanes == who.warp ? 1 : 0;
  return fail(races[verb][how], c.writer, address);
}

bool ClockedShadow::comes_before(const Touch& t, const Who& who) {
  if (t.lanes == some_lane) return clocks_->knows_some_lane(who, t.warp, t.time);
  for (uint32_t left = t.lanes; left; left &= left - 1) {
    if (!clocks_->knows(who, clocks_->column(t.warp, std::countr_zero(left)), t.time)) return false;
  }
  return true;
}

const char* ClockedShadow::check_touches(const Cell& c, const Who& who, uint32_t address, bool of_reads) {
  for (const Touch& t : c.touches) {
    if ((!of_reads && !t.is_atomic) || comes_before(t, who)) continue;
    const int column = clocks_->column(t.warp, t.lanes == some_lane ? 0 : std::countr_zero(t.lanes));
    const char* between = of_reads ? "race: write after read by" : "race: read after write by";
    const char* within =
        of_reads ? "race within a warp: write after read by" : "race within a warp: read after write by";
    return fail(t.warp == who.warp ? within : between, column, address);
  }
  return nullptr;
}

void ClockedShadow::note_touch(Cell& c, const Who& who, bool is_atomic) {
  const Touch touch = {who.warp, who.lane == Toucher::all ? some_lane : 1u << who.lane,
                       clocks_->now(who.warp), is_atomic};
  for (Touch& t : c.touches) {
    if (t.warp != touch.warp || t.is_atomic != is_atomic) continue;
    const bool both_together = t.lanes == some_lane && touch.lanes == some_lane;
    const bool same_thread = t.lanes == touch.lanes;
    if (both_together || same_thread) {
      t.time = touch.time;
      return;
    }
    if (t.time == touch.time && t.lanes != some_lane && touch.lanes != some_lane) {
      t.lanes |= touch.lanes;
      return;
    }
  }
  c.touches.push_back(touch);
}

void ClockedShadow::note_write(Cell& c, int writer, Time time) {
  c.writer = writer;
  c.time = time;
  c.touches.clear();
}

const char* ClockedShadow::read(uint32_t address, uint32_t bytes, const Who& who) {
  return each(address, bytes, [&](Cell& c) -> const char* {
    if (const char* wrong = check_state(c, address, false)) return wrong;
    if (const char* wrong = check_writer(c, who, address, reading)) return wrong;
    if (const char* wrong = check_touches(c, who, address, false)) return wrong;
    note_touch(c, who, false);
    return nullptr;
  });
}

const char* ClockedShadow::check_write(Cell& c, const Who& who, uint32_t address) {
  if (const char* wrong = check_state(c, address, true)) return wrong;
  if (const char* wrong = check_touches(c, who, address, true)) return wrong;
  return check_writer(c, who, address, writing);
}

const char* ClockedShadow::write(uint32_t address, uint32_t bytes, const Who& who) {
  const char* wrong = each(address, bytes, [&](Cell& c) -> const char* {
    if (const char* found = check_write(c, who, address)) return found;
    note_write(c, clocks_->column(who.warp, who.lane), clocks_->now(who.warp));
    return nullptr;
  });
  if (!wrong) join(address, bytes);
  return wrong;
}

const char* ClockedShadow::atomic(uint32_t address, uint32_t bytes, const Who& who) {
  return each(address, bytes, [&](Cell& c) -> const char* {
    if (const char* wrong = check_state(c, address, true)) return wrong;
    if (const char* wrong = check_writer(c, who, address, changing)) return wrong;
    for (const Touch& t : c.touches) {
      if (t.is_atomic || comes_before(t, who)) continue;
      return check_touches(c, who, address, true);
    }
    note_touch(c, who, true);
    return nullptr;
  });
}

const char* ClockedShadow::begin_copy(uint32_t address, uint32_t bytes, const Who& who) {
  if (const char* wrong = write(address, bytes, who)) return wrong;
  return each(address, bytes, [](Cell& c) -> const char* {
    c.in_flight = true;
    return nullptr;
  });
}

void ClockedShadow::end_copy(uint32_t address, uint32_t bytes, const Who& who) {
  each(address, bytes, [&](Cell& c) -> const char* {
    c.in_flight = false;
    note_write(c, clocks_->column(who.warp, who.lane), clocks_->now(who.warp));
    return nullptr;
  });
}

const char* ClockedShadow::begin_product(uint32_t address, uint32_t bytes, const Who& who) {
  if (const char* wrong = read(address, bytes, who)) return wrong;
  return each(address, bytes, [&](Cell& c) -> const char* {
    c.products++;
    if (c.writer == nobody || clocks_->is_mbarrier(c.writer)) return nullptr;
    switch (clocks_->published(who, c.writer, c.time)) {
      case Clocks::Published::yes:
        return nullptr;
      case Clocks::Published::not_fenced:
        return fail("product of what no fence.proxy.async follows, written by", c.writer, address);
      case Clocks::Published::not_known:
        return fail("product without a barrier after the fence.proxy.async of", c.writer, address);
    }
    return nullptr;
  });
}

void ClockedShadow::end_product(uint32_t address, uint32_t bytes, const Who& who) {
  each(address, bytes, [&](Cell& c) -> const char* {
    c.products--;
    note_touch(c, who, false);
    return nullptr;
  });
}

const char* ClockedShadow::begin_bulk_copy(uint32_t address, uint32_t bytes, const Who& who, int mbarrier,
                                           Time time) {
  uint32_t at = address;
  const char* wrong = each(address, bytes, [&](Cell& c) -> const char* {
    if (const char* found = check_write(c, who, at)) return found;
    if (c.writer != nobody && !clocks_->is_mbarrier(c.writer)) {
      const auto published = clocks_->published(who, c.writer, c.time);
      if (published == Clocks::Published::not_fenced) {
        return fail("bulk copy over what no fence.proxy.async follows, written by", c.writer, at);
      }
      if (published == Clocks::Published::not_known) {
        return fail("bulk copy without a barrier after the fence.proxy.async of", c.writer, at);
      }
    }
    note_write(c, mbarrier, time);
    c.in_flight = true;
    return nullptr;
  });
  if (!wrong) join(address, bytes);
  return wrong;
}

void ClockedShadow::end_bulk_copy(uint32_t address, uint32_t bytes) {
  each(address, bytes, [](Cell& c) -> const char* {
    c.in_flight = false;
    return nullptr;
  });
}

const char* ClockedShadow::begin_mbarrier(uint32_t address, const Who& who) {
  return each(address, 8, [&](Cell& c) -> const char* {
    if (const char* wrong = check_write(c, who, address)) return wrong;
    c.is_mbarrier = true;
    return nullptr;
  });
}

void ClockedShadow::end_mbarrier(uint32_t address, const Who& who) {
  each(address, 8, [&](Cell& c) -> const char* {
    c.is_mbarrier = false;
    note_write(c, clocks_->column(who.warp, who.lane), clocks_->now(who.warp));
    return nullptr;
  });
}

}  // namespace tintype::ptx
