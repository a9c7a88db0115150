#include "mbarriers.h"

#include <cstring>

namespace tintype::ptx {

namespace {
constexpr uint32_t object_bytes = 8, most_arrivals = (1u << 20) - 1;
constexpr int64_t most_bytes = (1 << 20) - 1;
}  // namespace

void Mbarriers::reset(Clocks* clocks, SharedMemory* shared, int block) {
  clocks_ = clocks;
  shared_ = shared;
  block_ = block;
  made_ = 0;
  mbarriers_.clear();
}

const char* Mbarriers::fail(const char* what, uint32_t address) {
  detail_ = "address " + std::to_string(address) + " of " + std::to_string(shared_->size());
  return what;
}

const char* Mbarriers::init(uint32_t address, uint32_t count, const Who& who) {
  if (address % object_bytes != 0) return fail("misaligned mbarrier,", address);
  if (count == 0 || count > most_arrivals) return fail("mbarrier of no such number of arrivals,", address);
  if (mbarriers_.count(address)) return fail("init of what is an mbarrier already,", address);
  if (made_ == Clocks::mbarriers_of_block) return fail("more mbarriers than are known here,", address);
  if (const char* wrong = shared_->begin_mbarrier(address, who)) {
    detail_ = shared_->detail();
    return wrong;
  }
  Mbarrier& m = mbarriers_[address];
  m.column = clocks_->mbarrier_column(block_, made_++);
  m.initializer = clocks_->column(who.warp, who.lane);
  m.count = m.pending = count;
  for (Clock* clock : {&m.arrived[0], &m.arrived[1], &m.over[0], &m.over[1]}) *clock = clocks_->none();
  clocks_->name_mbarrier(m.column, address);
  clocks_->learn(who, m.column, Clocks::initialized);
  return nullptr;
}

void Mbarriers::fence_inits(const Who& who) {
  for (const auto& [address, m] : mbarriers_) {
    if (m.initializer == clocks_->column(who.warp, who.lane)) {
      clocks_->learn(who, m.column, Clocks::init_fenced);
    }
  }
}

// Null where there is none that the thread knows to be initialized.
Mbarriers::Mbarrier* Mbarriers::find(uint32_t address, const Who& who, Time needs, const char*& wrong) {
  const auto found = mbarriers_.find(address);
  if (found == mbarriers_.end()) {
    wrong =
        fail(address % object_bytes ? "misaligned mbarrier," : "mbarrier that is not initialized,", address);
    return nullptr;
  }
  Mbarrier& m = found->second;
  if (clocks_->knows(who, m.column, needs)) return &m;
  if (clocks_->knows(who, m.column, Clocks::initialized)) {
    wrong = fail("mbarrier whose init no fence.mbarrier_init follows,", address);
  } else {
    wrong = fail("mbarrier whose init may not have come before: that of", address);
    detail_ = clocks_->describe(m.initializer) + ", " + detail_;
  }
  return nullptr;
}

const char* Mbarriers::invalidate(uint32_t address, const Who& who) {
  const char* wrong = nullptr;
  Mbarrier* m = find(address, who, Clocks::initialized, wrong);
  if (!m) return wrong;
  if (m->pending != m->count || !m->copies.empty()) return fail("inval of an mbarrier in use,", address);
  mbarriers_.erase(address);
  shared_->end_mbarrier(address, who);
  return nullptr;
}

const char* Mbarriers::expect(uint32_t address, uint32_t bytes, const Caller& caller) {
  const char* wrong = nullptr;
  Mbarrier* m =
      find(address, caller.who, caller.is_remote ? Clocks::init_fenced : Clocks::initialized, wrong);
  if (!m) return wrong;
  m->bytes += bytes;
  return m->bytes > most_bytes ? fail("mbarrier that expects too many bytes,", address) : nullptr;
}

const char* Mbarriers::arrive(uint32_t address, const Arrival& arrival, const Caller& caller) {
  const char* wrong = nullptr;
  Mbarrier* m =
      find(address, caller.who, caller.is_remote ? Clocks::init_fenced : Clocks::initialized, wrong);
  if (!m) return wrong;
  if (arrival.count == 0) return fail("arrival of nobody at an mbarrier,", address);
  if (arrival.count > m->pending) return fail("more arrivals than the mbarrier expects,", address);
  if (arrival.releases && !caller.is_remote) clocks_->release(caller.who, m->arrived[0]);
  if (arrival.releases && arrival.scope == Scope::cluster) clocks_->release(caller.who, m->arrived[1]);
  m->pending -= arrival.count;
  return end_phase(address, *m);
}

const char* Mbarriers::end_phase(uint32_t address, Mbarrier& m) {
  if (m.pending || m.bytes) return nullptr;
  if (!m.copies.empty()) {
    return fail("phase of an mbarrier that does not expect the bytes of a bulk copy in flight,", address);
  }
  for (const auto& [warp, time] : m.observers) {
    if (Clocks::has_some_lane(m.arrived[0], warp, time) || Clocks::has_some_lane(m.arrived[1], warp, time))
      continue;
    fail("", address);
    detail_ = clocks_->describe(clocks_->column(warp, 0)) + ", " + detail_;
    return "mbarrier that goes on though its last phase may still be waited for by";
  }
  m.observers.clear();
  m.over[0] = m.arrived[0];
  m.over[1] = m.arrived[1];
  m.phase++;
  m.pending = m.count;
  return nullptr;
}

const char* Mbarriers::end_copies(uint32_t address, Mbarrier& m) {
  if (m.pending || m.copies.empty()) return nullptr;
  for (const BulkCopy& copy : m.copies) {
    uint8_t* to = shared_->at(copy.target);
    for (const uint8_t* chunk : copy.chunks) {
      if (chunk) {
        std::memcpy(to, chunk, 16);
      } else {
        std::memset(to, 0, 16);
      }
      to += 16;
    }
    shared_->end_bulk_copy(copy.target, copy.bytes());
    m.bytes -= copy.bytes();
  }
  m.copies.clear();
  if (m.bytes < 0) return fail("bulk copies of more bytes than the mbarrier expects,", address);
  return end_phase(address, m);
}

const char* Mbarriers::phase(uint32_t address, const Caller& caller, uint64_t& phase) {
  const char* wrong = nullptr;
  const Mbarrier* m = find(address, caller.who, Clocks::initialized, wrong);
  if (!m) return wrong;
  phase = m->phase;
  return nullptr;
}

const char* Mbarriers::wait(uint32_t address, const Wait& wait, const Who& who, bool& over) {
  const char* wrong = nullptr;
  Mbarrier* m = find(address, who, Clocks::initialized, wrong);
  if (!m) return wrong;
  if ((wrong = end_copies(address, *m))) return wrong;
  if (!wait.by_parity && wait.phase > m->phase)
    return fail("wait for what is no state of the mbarrier,", address);
  // The phase before the first counts as over.
  over = wait.by_parity ? (m->phase & 1) != wait.phase : m->phase > wait.phase;
  if (!wait.acquires || m->phase == 0) return nullptr;
  if (wait.by_parity) {
    // It could not tell the phase that it waits for from the next but one.
    const Time needs = over ? after(m->phase - 1) : after(m->phase);
    if (needs > Clocks::init_fenced && !clocks_->knows(who, m->column, needs)) {
      return fail("wait at an mbarrier that has gone on without the thread,", address);
    }
    if (over) m->observers.try_emplace(who.warp, clocks_->now(who.warp));
  }
  if (!over) return nullptr;
  clocks_->learn(who, m->column, after(m->phase));
  clocks_->acquire(who, m->over[0]);
  if (wait.scope == Scope::cluster) clocks_->acquire(who, m->over[1]);
  return nullptr;
}

const char* Mbarriers::copy(uint32_t address, const BulkCopy& copy, const Caller& caller, int& column,
                            Time& time) {
  const char* wrong = nullptr;
  Mbarrier* m = find(address, caller.who, Clocks::init_fenced, wrong);
  if (!m) return wrong;
  column = m->column;
  time = after(m->phase + 1);
  if ((wrong = shared_->begin_bulk_copy(copy.target, copy.bytes(), caller.who, column, time))) {
    detail_ = shared_->detail();
    return wrong;
  }
  std::memset(shared_->at(copy.target), 0xff, copy.bytes());
  m->copies.push_back(copy);
  return nullptr;
}

std::string Mbarriers::missing(uint32_t address) const {
  const auto found = mbarriers_.find(address);
  if (found == mbarriers_.end()) return "";
  const Mbarrier& m = found->second;
  return std::to_string(m.pending) + " arrivals and " + std::to_string(m.bytes) +
         " bytes are missing at the mbarrier at " + std::to_string(address);
}

}  // namespace tintype::ptx
