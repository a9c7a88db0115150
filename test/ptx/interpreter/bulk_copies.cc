// Bulk copies, which signal mbarriers: of bytes that follow one another, and of boxes of tensors.
#include "execution.h"
#include "instruction_set.h"
#include "memory_access.h"
#include "memory_traffic.h"
#include "tensor_boxes.h"

namespace tintype::ptx {

namespace {

// Where one lane of a bulk copy writes and what it signals.
struct Target {
  Place place;
  uint32_t mbarrier;
};

Target target_of(Execution& x, const Instruction& i, int mbarrier_operand, int lane) {
  const Place place = locate(x, i, static_cast<uint32_t>(address_of(x, i, lane)));
  const Place mbarrier = locate(x, i, x.row<uint32_t>(i.src[mbarrier_operand])[lane]);
  if (place.block != mbarrier.block) fail(x, i, "bulk copy that signals an mbarrier of another block");
  return {place, mbarrier.offset};
}

void copy_into(Execution& x, const Instruction& i, Execution& block, const Target& target,
               const std::vector<const uint8_t*>& chunks, int lane) {
  if (block.running == 0) fail(x, i, "remote access to a block that has exited");
  const Caller caller = {x.who(lane), &block != &x};
  int column = 0;
  Time time = 0;
  const char* wrong =
      block.mbarriers.copy(target.mbarrier, {target.place.offset, chunks}, caller, column, time);
  if (wrong)
    fail(x, i, std::string(wrong) + " " + block.mbarriers.detail() + ", lane " + std::to_string(lane));
  x.cluster->visit(block.rank, column, time);
}

template <class F>
void each_lane(const Execution& x, F f) {
  for (int l = 0; l < lanes; l++) {
    if (x.has(l)) f(l);
  }
}

}  // namespace

void copy_bulk(Execution& x, const Instruction& i) {
  each_lane(x, [&](int l) {
    const Target target = target_of(x, i, 3, l);
    const uint32_t bytes = x.row<uint32_t>(i.src[2])[l];
    const uint64_t source = x.row<uint64_t>(i.src[1])[l];
    if (bytes == 0 || bytes % 16 || target.place.offset % 16 || source % 16) {
      fail(x, i, "bulk copy whose target, source or size is no multiple of 16 bytes");
    }
    std::vector<const uint8_t*> chunks;
    for (uint32_t at = 0; at < bytes; at += 16) {
      chunks.push_back(global_bytes(x, i, source + at, 16, l, Access::read));
    }
    count_bulk(x, chunks);
    if (!i.flag) return copy_into(x, i, *target.place.block, target, chunks, l);
    const uint32_t mask = x.row<uint32_t>(i.src[4])[l] & 0xffff;
    if (!mask || mask >> x.cluster->blocks.size()) {
      fail(x, i, "multicast to blocks that the cluster does not have");
    }
    for (Execution* block : x.cluster->blocks) {
      if (mask >> block->rank & 1) copy_into(x, i, *block, target, chunks, l);
    }
  });
  x.cluster->progress++;
}

void copy_box(Execution& x, const Instruction& i) {
  each_lane(x, [&](int l) {
    const auto row = [&](int operand) { return static_cast<int32_t>(x.row<uint32_t>(i.src[operand])[l]); };
    const uint64_t map_at = x.row<uint64_t>(i.src[1])[l];
    if (map_at % 64 || map_at + sizeof(cuda::TensorMap) > x.kernel.param_bytes) {
      fail(x, i, "tensor map that is no parameter");
    }
    BoxPlace place;
    place.of_patches = i.flag;
    const int rank = i.count;
    for (int d = 0; d < rank; d++) place.at[d] = row(3 + d);
    for (int d = 0; i.flag && d < 2; d++) place.moved[d] = row(3 + rank + d) & 0xffff;
    std::vector<uint64_t> sources;
    const Target target = target_of(x, i, 2, l);
    if (target.place.offset % 1024) fail(x, i, "box whose target is no multiple of 1024 bytes");
    if (const char* wrong = find_box(x.params + map_at, rank, place, sources)) fail(x, i, wrong);
    std::vector<const uint8_t*> chunks;
    for (const uint64_t source : sources) {
      chunks.push_back(source ? global_bytes(x, i, source, 16, l, Access::read) : nullptr);
    }
    count_bulk(x, chunks);
    copy_into(x, i, *target.place.block, target, chunks, l);
  });
  x.cluster->progress++;
}

}  // namespace tintype::ptx
