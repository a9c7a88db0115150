#include "clocks.h"

#include <algorithm>

#include "interpreter.h"
#include "program.h"
#include "shared_memory.h"

namespace tintype::ptx {

namespace {

void join(Time* into, const Time* from, size_t columns) {
  for (size_t c = 0; c < columns; c++) into[c] = std::max(into[c], from[c]);
}

}  // namespace

void Clocks::reset(int blocks, int warps_of_block, int threads_of_block) {
  blocks_ = blocks;
  warps_of_block_ = warps_of_block;
  threads_ = blocks * warps_of_block * lanes;
  columns_ = threads_ + blocks * mbarriers_of_block;
  const auto warps = static_cast<size_t>(blocks * warps_of_block);
  known_.assign(static_cast<size_t>(threads_) * static_cast<size_t>(columns_), 0);
  now_.assign(warps, 1);
  alive_.assign(warps, all_lanes);
  common_.assign(warps, none());
  common_is_old_.assign(warps, true);
  fences_.resize(static_cast<size_t>(threads_));
  for (auto& times : fences_) times.clear();
  addresses_.clear();
  for (int w = 0; w < blocks * warps_of_block; w++) {
    for (int l = 0; l < lanes; l++) {
      known(w, l)[column(w, l)] = always;
      if (w % warps_of_block * lanes + l >= threads_of_block) leave(w, 1u << l);
    }
  }
}

int Clocks::mbarrier_column(int block, int number) const {
  return threads_ + block * mbarriers_of_block + number;
}

void Clocks::tick(int warp) {
  if (++now_[static_cast<size_t>(warp)] == always) throw Fault("too many releases for the race check");
}

const Clock& Clocks::common(int warp) {
  Clock& clock = common_[static_cast<size_t>(warp)];
  if (!common_is_old_[static_cast<size_t>(warp)]) return clock;
  common_is_old_[static_cast<size_t>(warp)] = false;
  std::fill(clock.begin(), clock.end(), always);
  for (int l = 0; l < lanes; l++) {
    if (!(alive_[static_cast<size_t>(warp)] >> l & 1)) continue;
    const Time* own = known(warp, l);
    for (size_t c = 0; c < clock.size(); c++) clock[c] = std::min(clock[c], own[c]);
  }
  return clock;
}

bool Clocks::knows(const Who& who, int column, Time time) {
  const Time* clock = who.lane == Toucher::all ? common(who.warp).data() : known(who.warp, who.lane);
  return clock[column] >= time;
}

bool Clocks::knows_some_lane(const Who& who, int warp, Time time) {
  for (int l = 0; l < lanes; l++) {
    if (knows(who, column(warp, l), time)) return true;
  }
  return false;
}

bool Clocks::has_some_lane(const Clock& clock, int warp, Time time) {
  const auto first = clock.begin() + warp * lanes;
  return std::any_of(first, first + lanes, [&](Time known_time) { return known_time >= time; });
}

void Clocks::learn(const Who& who, int column, Time time) {
  Time& known_time = known(who.warp, who.lane)[column];
  known_time = std::max(known_time, time);
  common_is_old_[static_cast<size_t>(who.warp)] = true;
}

// What a thread knows of itself is for others what it has done until now.
void Clocks::join_thread(int warp, int lane, Clock& into) {
  Time* own = known(warp, lane);
  own[column(warp, lane)] = now(warp);
  join(into.data(), own, into.size());
  own[column(warp, lane)] = always;
}

void Clocks::release(const Who& who, Clock& into) {
  join_thread(who.warp, who.lane, into);
}

void Clocks::release_inits(const Who& who, Clock& into) {
  const Time* own = known(who.warp, who.lane);
  for (int c = threads_; c < columns_; c++) {
    if (own[c] == init_fenced) into[static_cast<size_t>(c)] = std::max(into[static_cast<size_t>(c)], own[c]);
  }
}

void Clocks::acquire(const Who& who, const Clock& from) {
  join(known(who.warp, who.lane), from.data(), from.size());
  common_is_old_[static_cast<size_t>(who.warp)] = true;
}

void Clocks::meet(int warp) {
  Clock all = none();
  const uint32_t alive = alive_[static_cast<size_t>(warp)];
  for (int l = 0; l < lanes; l++) {
    if (alive >> l & 1) join_thread(warp, l, all);
  }
  for (int l = 0; l < lanes; l++) {
    if (alive >> l & 1) acquire({warp, static_cast<uint8_t>(l)}, all);
  }
  tick(warp);
}

Clock Clocks::known_in(int block) {
  Clock all = none();
  for (int w = block * warps_of_block_; w < (block + 1) * warps_of_block_; w++) {
    for (int l = 0; l < lanes; l++) join_thread(w, l, all);
  }
  return all;
}

void Clocks::publish(const Who& who) {
  fences_[static_cast<size_t>(column(who.warp, who.lane))].push_back(now(who.warp));
}

Clocks::Published Clocks::published(const Who& who, int writer, Time time) {
  const auto& fences = fences_[static_cast<size_t>(writer)];
  const auto fence = std::lower_bound(fences.begin(), fences.end(), time);
  if (fence == fences.end()) return Published::not_fenced;
  return knows(who, writer, static_cast<Time>(*fence + 1)) ? Published::yes : Published::not_known;
}

std::string Clocks::describe(int column) const {
  if (is_mbarrier(column)) {
    const auto found = addresses_.find(column);
    return "the mbarrier at " + std::to_string(found == addresses_.end() ? 0 : found->second);
  }
  const int warp = column / lanes;
  const std::string block =
      blocks_ > 1 ? "block " + std::to_string(warp / warps_of_block_) + " of the cluster " : "";
  return block + "warp " + std::to_string(warp % warps_of_block_) + " lane " + std::to_string(column % lanes);
}

}  // namespace tintype::ptx
