// Instructions on mbarriers.
#include "execution.h"
#include "instruction_set.h"
#include "memory_access.h"

namespace tintype::ptx {

namespace {

bool has(const Instruction& i, uint8_t how) {
  return i.variant & how;
}

void demand(Execution& x, const Instruction& i, Execution& block, const char* wrong, int lane) {
  if (wrong)
    fail(x, i, std::string(wrong) + " " + block.mbarriers.detail() + ", lane " + std::to_string(lane));
}

// The mbarrier of a lane; addresses of the cluster may be in another block.
Place place_of(Execution& x, const Instruction& i, int lane) {
  const auto address = static_cast<uint32_t>(address_of(x, i, lane));
  if (has(i, MbarrierUse::in_cluster)) return locate(x, i, address);
  return {&x, address, false};
}

Scope scope_of(const Instruction& i) {
  return has(i, MbarrierUse::for_cluster) ? Scope::cluster : Scope::block;
}

template <class F>
void each_lane(const Execution& x, F f) {
  for (int l = 0; l < lanes; l++) {
    if (x.has(l)) f(l);
  }
}

}  // namespace

void init_mbarrier(Execution& x, const Instruction& i) {
  each_lane(x, [&](int l) {
    const auto address = static_cast<uint32_t>(address_of(x, i, l));
    demand(x, i, x, x.mbarriers.init(address, x.row<uint32_t>(i.src[1])[l], x.who(l)), l);
  });
  x.cluster->progress++;
}

void invalidate_mbarrier(Execution& x, const Instruction& i) {
  each_lane(x, [&](int l) {
    const auto address = static_cast<uint32_t>(address_of(x, i, l));
    demand(x, i, x, x.mbarriers.invalidate(address, x.who(l)), l);
  });
}

void fence_mbarrier_inits(Execution& x, const Instruction&) {
  each_lane(x, [&](int l) { x.mbarriers.fence_inits(x.who(l)); });
}

void arrive_at_mbarrier(Execution& x, const Instruction& i) {
  each_lane(x, [&](int l) {
    const Place place = place_of(x, i, l);
    const Caller caller = {x.who(l), place.is_remote};
    Mbarriers& all = place.block->mbarriers;
    const uint32_t operand = i.flag ? x.row<uint32_t>(i.src[1])[l] : 1;
    if (has(i, MbarrierUse::expects)) {
      demand(x, i, *place.block, all.expect(place.offset, operand, caller), l);
    }
    if (has(i, MbarrierUse::only_expects)) return;
    if (i.dst_count) {
      demand(x, i, *place.block, all.phase(place.offset, caller, x.row<uint64_t>(i.dst[0])[l]), l);
    }
    const Mbarriers::Arrival arrival = {has(i, MbarrierUse::expects) ? 1 : operand, scope_of(i),
                                        !has(i, MbarrierUse::is_relaxed)};
    demand(x, i, *place.block, all.arrive(place.offset, arrival, caller), l);
    if (place.is_remote) {
      const int column = x.cluster->clocks.column(caller.who.warp, l);
      x.cluster->visit(place.block->rank, column, x.cluster->clocks.now(caller.who.warp));
    }
  });
  x.cluster->clocks.tick(x.who(0).warp);
  x.cluster->progress++;
}

void wait_for_mbarrier(Execution& x, const Instruction& i) {
  uint32_t over = 0;
  each_lane(x, [&](int l) {
    const auto address = static_cast<uint32_t>(address_of(x, i, l));
    const bool by_parity = !has(i, MbarrierUse::by_state);
    const uint64_t phase = by_parity ? x.row<uint32_t>(i.src[1])[l] : x.row<uint64_t>(i.src[1])[l];
    if (by_parity && phase > 1) fail(x, i, "wait for a parity that is neither 0 nor 1");
    bool is_over = false;
    const Mbarriers::Wait wait = {by_parity, phase, scope_of(i), !has(i, MbarrierUse::is_relaxed)};
    demand(x, i, x, x.mbarriers.wait(address, wait, x.who(l), is_over), l);
    if (is_over) {
      over |= 1u << l;
    } else {
      x.warp->polled = {true, &i, address};
    }
  });
  x.set_predicate(i.predicate_dst, over);
}

}  // namespace tintype::ptx
