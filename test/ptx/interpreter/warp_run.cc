#include "warp_run.h"

#include <algorithm>
#include <sstream>

#include "execution.h"
#include "instruction_set.h"
#include "interpreter.h"

namespace tintype::ptx {

void fail(const Execution& x, const Instruction& i, const std::string& what) {
  std::ostringstream message;
  message << x.kernel.name << " block (" << x.block[0] << ", " << x.block[1] << ", " << x.block[2]
          << ") warp " << static_cast<int>(x.warp->id) << ", ptx line " << i.line << ": " << what << "\n    "
          << x.kernel.text[static_cast<size_t>(&i - x.kernel.code.data())];
  throw Fault(message.str());
}

namespace {

// Goes on with the lanes that are farthest behind of those that can; lanes that have met go on together.
void choose_lanes(Warp& w) {
  if (w.mask) w.waiting.push_back({w.pc, w.mask, false});
  if (w.waiting.empty()) {
    w.done = true;
    return;
  }
  const auto before = [](const WaitingLanes& a, const WaitingLanes& b) {
    return std::pair(a.needs_others, a.pc) < std::pair(b.needs_others, b.pc);
  };
  w.pc = std::min_element(w.waiting.begin(), w.waiting.end(), before)->pc;
  w.mask = 0;
  w.join = INT_MAX;
  std::vector<WaitingLanes> rest;
  for (const WaitingLanes& g : w.waiting) {
    if (g.pc == w.pc) {
      w.mask |= g.mask;
    } else {
      rest.push_back(g);
      if (!g.needs_others || g.pc > w.pc) w.join = std::min(w.join, g.pc);
    }
  }
  w.waiting.swap(rest);
}

// Whether an instruction names lanes that are elsewhere, and some of those can still come.
bool must_wait(Execution& x, const Instruction& i) {
  const Warp& w = *x.warp;
  if (i.kind != Kind::synchronize || x.mask == w.alive) return false;
  if (i.run == shuffle && !(x.row<uint32_t>(i.src[3])[std::countr_zero(x.mask)] & ~x.mask)) return false;
  return std::any_of(w.waiting.begin(), w.waiting.end(), [](const auto& g) { return !g.needs_others; });
}

void branch(Warp& w, const Instruction& i, uint32_t taken) {
  if (taken == w.mask) {
    w.pc = i.target;
    if (!w.waiting.empty()) choose_lanes(w);
  } else if (!taken) {
    w.pc++;
  } else {
    w.waiting.push_back({i.target, taken, false});
    w.mask &= ~taken;
    w.pc++;
    choose_lanes(w);
  }
}

// Lanes end here.
void leave(Execution& x, Warp& w, const Instruction& i, uint32_t mask) {
  w.alive &= ~mask;
  w.mask &= ~mask;
  w.pc++;
  if (x.cluster) x.cluster->clocks.leave(x.first_warp + w.id, mask);
  if (w.mask) return;
  choose_lanes(w);
  if (!w.done) return;
  if (!w.uncommitted.empty()) fail(x, i, "warp ends with a copy that no group holds");
  for (const auto& group : w.groups) {
    if (!group.empty()) fail(x, i, "warp ends with a copy in flight");
  }
  if (!w.uncommitted_products.empty()) fail(x, i, "warp ends with a product that no group holds");
  for (const auto& group : w.product_groups) {
    if (!group.empty()) fail(x, i, "warp ends with a product in flight");
  }
  x.running--;
  if (!x.cluster) return;
  if (w.is_at_cluster) x.cluster->arrived--;
  x.cluster->progress++;
  x.cluster->meet_if_complete();
}

}  // namespace

void run_warp(Execution& x, Warp& w) {
  x.warp = &w;
  const Instruction* code = x.kernel.code.data();
  while (!w.done) {
    if (w.pc >= w.join) {
      choose_lanes(w);
      continue;
    }
    const Instruction& i = code[w.pc];
    uint32_t mask = w.mask;
    if (i.guard >= 0) mask &= i.guard_negated ? ~x.predicate(i.guard) : x.predicate(i.guard);
    x.statistics.warp_instructions[static_cast<size_t>(i.kind)]++;
    x.statistics.thread_instructions += static_cast<uint64_t>(std::popcount(mask));
    switch (i.flow) {
      case Flow::next:
        x.mask = mask;
        if (mask && must_wait(x, i)) {
          w.waiting.push_back({w.pc, w.mask, true});
          w.mask = 0;
          choose_lanes(w);
          break;
        }
        if (mask && i.touches_products) touch_products(x, i);
        if (mask) i.run(x, i);
        w.pc++;
        break;
      case Flow::branch:
        branch(w, i, mask);
        break;
      case Flow::leave:
        leave(x, w, i, mask);
        break;
      case Flow::barrier:
        if (mask != w.alive) fail(x, i, "bar.sync reached by a part of the warp");
        w.at_barrier = true;
        w.pc++;
        return;
      case Flow::poll:
        x.mask = mask;
        if (mask) i.run(x, i);
        w.pc++;
        if (w.polled.in_vain) return;
        break;
    }
  }
}

}  // namespace tintype::ptx
