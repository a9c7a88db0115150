// Instructions by which the lanes of a warp talk to one another.
#include "execution.h"
#include "instruction_set.h"

namespace tintype::ptx {

namespace {

// The lane that `lane` reads from, or itself when that would leave its segment.
struct Source {
  int lane;
  bool inside;
};

Source shuffle_source(ShuffleMode mode, int lane, int amount, uint32_t bounds) {
  const int segment = bounds >> 8 & 31, clamp = bounds & 31;
  const int last = (lane & segment) | (clamp & ~segment), first = lane & segment;
  int from = lane;
  bool inside = false;
  switch (mode) {
    case ShuffleMode::butterfly:
      from = lane ^ amount;
      inside = from <= last;
      break;
    case ShuffleMode::down:
      from = lane + amount;
      inside = from <= last;
      break;
    case ShuffleMode::up:
      from = lane - amount;
      inside = from >= last;
      break;
    case ShuffleMode::index:
      from = first | (amount & ~segment);
      inside = from <= last;
  }
  return {inside ? from : lane, inside};
}

}  // namespace

void shuffle(Execution& x, const Instruction& i) {
  const uint32_t *value = x.row<uint32_t>(i.src[0]), *amount = x.row<uint32_t>(i.src[1]);
  const uint32_t *bounds = x.row<uint32_t>(i.src[2]), *members = x.row<uint32_t>(i.src[3]);
  uint32_t result[lanes], inside = 0;
  for (int l = 0; l < lanes; l++) {
    if (!x.has(l)) continue;
    if ((members[l] & x.mask) != members[l] || !(members[l] >> l & 1)) {
      fail(x, i, "shfl.sync names lanes that are not here");
    }
    const auto mode = static_cast<ShuffleMode>(i.variant);
    const Source source = shuffle_source(mode, l, static_cast<int>(amount[l] & 31), bounds[l]);
    if (!(members[l] >> source.lane & 1)) fail(x, i, "shfl.sync reads from a lane that takes no part");
    result[l] = value[source.lane];
    inside |= static_cast<uint32_t>(source.inside) << l;
  }
  uint32_t* dst = x.row<uint32_t>(i.dst[0]);
  for (int l = 0; l < lanes; l++) dst[l] = x.has(l) ? result[l] : dst[l];
  if (i.predicate_dst >= 0) x.set_predicate(i.predicate_dst, inside);
}

void ballot(Execution& x, const Instruction& i) {
  const uint32_t votes = x.predicate(i.predicate_src) & x.mask;
  write_lanes(x, x.row<uint32_t>(i.dst[0]), [&](int) { return votes; });
}

// The first of the lanes that are named.
void elect(Execution& x, const Instruction& i) {
  const uint32_t members = x.row<uint32_t>(i.src[0])[std::countr_zero(x.mask)];
  if ((members & x.mask) != members || !members) fail(x, i, "elect.sync names lanes that are not here");
  const auto first = static_cast<uint32_t>(std::countr_zero(members));
  write_lanes(x, x.row<uint32_t>(i.dst[0]), [&](int) { return first; });
  x.set_predicate(i.predicate_dst, 1u << first);
}

void sync_warp(Execution& x, const Instruction& i) {
  if (x.mask != x.warp->alive) fail(x, i, "bar.warp.sync executed by a part of the warp");
  if (++x.warp->epoch == 0) fail(x, i, "too many bar.warp.sync for the race check");
  if (x.cluster) x.cluster->clocks.meet(x.who(0).warp);
}

void trap(Execution& x, const Instruction& i) {
  fail(x, i, "trap");
}

}  // namespace tintype::ptx
