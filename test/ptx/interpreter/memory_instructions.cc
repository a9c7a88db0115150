// Loads, stores, atomics and asynchronous copies.
#include <algorithm>
#include <mutex>

#include "instruction_set.h"
#include "memory_access.h"
#include "memory_traffic.h"

namespace tintype::ptx {

namespace {

// What other blocks of the launch have to do with these bytes.
void watch(Execution& x, const Instruction& i, uint64_t address, uint32_t bytes, int lane, Access access) {
  const std::lock_guard lock(x.traffic->mutex);
  if (access == Access::atomic) return x.traffic->atomic(x.view, x.thread(lane), address);
  const uint64_t begin = x.memory.begin(x.last_allocation), end = x.memory.end(x.last_allocation);
  const std::string wrong = access == Access::read
                                ? x.traffic->read(x.view, x.epoch, begin, end, address, bytes)
                                : x.traffic->write(x.view, x.epoch, begin, end, address, bytes);
  if (!wrong.empty())
    fail(x, i, wrong + ", lane " + std::to_string(lane) + ": " + x.memory.describe(address));
}

}  // namespace

uint8_t* global_bytes(Execution& x, const Instruction& i, uint64_t address, uint32_t bytes, int lane,
                      Access access) {
  if (address >= variable_window) {
    const uint64_t offset = address - variable_window;
    // Only what no block can see half of: counters.
    if (access != Access::atomic) fail(x, i, "access to a global variable that is not atomic");
    if (offset + bytes > x.kernel.variable_bytes || offset % bytes != 0) fail(x, i, "variable out of bounds");
    if (x.traffic) watch(x, i, address, bytes, lane, access);
    return x.variables + offset;
  }
  const int found = x.memory.find(address, bytes, x.last_allocation);
  if (found < 0) {
    fail(x, i,
         "global access of " + std::to_string(bytes) + " bytes out of bounds, lane " + std::to_string(lane) +
             ": " + x.memory.describe(address));
  }
  x.last_allocation = found;
  if (address % bytes != 0) {
    fail(x, i,
         "misaligned global access of " + std::to_string(bytes) + " bytes, lane " + std::to_string(lane) +
             ": " + x.memory.describe(address));
  }
  if (x.traffic) watch(x, i, address, bytes, lane, access);
  return reinterpret_cast<uint8_t*>(address);
}

void demand(Execution& x, const Instruction& i, const char* wrong, int lane) {
  if (wrong) fail(x, i, std::string(wrong) + " " + x.shared.detail() + ", lane " + std::to_string(lane));
}

const uint8_t* read_shared(Execution& x, const Instruction& i, uint32_t address, uint32_t bytes,
                           uint8_t lane) {
  demand(x, i, x.shared.read(address, bytes, x.toucher(lane)), lane);
  return x.shared.at(address);
}

namespace {

// The addresses of one request, by the memory that they lie in.
struct Request {
  uint64_t global[lanes];
  uint32_t shared[lanes];
  uint32_t global_mask = 0, shared_mask = 0;

  bool add(Execution& x, const Instruction& i, int lane) {
    const uint64_t address = address_of(x, i, lane);
    const bool is_shared =
        i.space == Space::shared || (i.space == Space::generic && address >= shared_window);
    if (is_shared) {
      shared[lane] = static_cast<uint32_t>(i.space == Space::shared ? address : address - shared_window);
      shared_mask |= 1u << lane;
    } else {
      global[lane] = address;
      global_mask |= 1u << lane;
    }
    return is_shared;
  }
  void count(Execution& x, uint32_t bytes) const {
    count_shared(x, shared, shared_mask, bytes);
    count_global(x, global, global_mask, bytes);
  }
};

// Signs fill what a register has beyond the element.
uint64_t widen(uint64_t value, const Instruction& i) {
  if (!i.is_signed) return value;
  const int unused = 64 - 8 * i.bytes;
  return static_cast<uint64_t>(static_cast<int64_t>(value << unused) >> unused);
}

void load_params(Execution& x, const Instruction& i, uint32_t bytes, uint8_t (*loaded)[16]) {
  for (int l = 0; l < lanes; l++) {
    if (!x.has(l)) continue;
    const uint64_t offset = address_of(x, i, l);
    if (offset + bytes > x.kernel.param_bytes) fail(x, i, "read of a parameter out of bounds");
    std::memcpy(loaded[l], x.params + offset, bytes);
  }
}

}  // namespace

void load(Execution& x, const Instruction& i) {
  const uint32_t bytes = i.bytes * i.count;
  uint8_t loaded[lanes][16];
  if (i.space == Space::param) {
    load_params(x, i, bytes, loaded);
  } else {
    Request request;
    for (int l = 0; l < lanes; l++) {
      if (!x.has(l)) continue;
      const uint8_t* from = request.add(x, i, l)
                                ? read_shared(x, i, request.shared[l], bytes, static_cast<uint8_t>(l))
                                : global_bytes(x, i, request.global[l], bytes, l, Access::read);
      std::memcpy(loaded[l], from, bytes);
    }
    request.count(x, bytes);
  }
  for (int v = 0; v < i.count; v++) {
    for (int l = 0; l < lanes; l++) {
      if (!x.has(l)) continue;
      uint64_t value = 0;
      std::memcpy(&value, loaded[l] + v * i.bytes, i.bytes);
      value = widen(value, i);
      if (i.flag) {
        x.row<uint64_t>(i.dst[v])[l] = value;
      } else {
        x.row<uint32_t>(i.dst[v])[l] = static_cast<uint32_t>(value);
      }
    }
  }
}

void store(Execution& x, const Instruction& i) {
  const uint32_t bytes = i.bytes * i.count;
  Request request;
  for (int l = 0; l < lanes; l++) {
    if (!x.has(l)) continue;
    uint8_t value[16];
    for (int v = 0; v < i.count; v++) {
      const char* from = x.warp->registers + i.src[1 + v] + l * (i.flag ? 8 : 4);
      std::memcpy(value + v * i.bytes, from, i.bytes);
    }
    if (request.add(x, i, l)) {
      const uint32_t address = request.shared[l];
      demand(x, i, x.shared.write(address, bytes, x.toucher(static_cast<uint8_t>(l))), l);
      std::memcpy(x.shared.at(address), value, bytes);
    } else {
      std::memcpy(global_bytes(x, i, request.global[l], bytes, l, Access::write), value, bytes);
    }
  }
  request.count(x, bytes);
}

void atomic(Execution& x, const Instruction& i) {
  static std::mutex one_at_a_time;  // blocks run on several threads
  const std::lock_guard lock(one_at_a_time);
  for (int l = 0; l < lanes; l++) {
    if (!x.has(l)) continue;
    const uint64_t address = address_of(x, i, l);
    const bool is_shared =
        i.space == Space::shared || (i.space == Space::generic && address >= shared_window);
    uint8_t* place;
    if (is_shared) {
      const auto offset = static_cast<uint32_t>(i.space == Space::shared ? address : address - shared_window);
      demand(x, i, x.shared.atomic(offset, x.toucher(static_cast<uint8_t>(l))), l);
      place = x.shared.at(offset);
    } else {
      place = global_bytes(x, i, address, 4, l, Access::atomic);
    }
    uint32_t old, value = x.row<uint32_t>(i.src[1])[l];
    std::memcpy(&old, place, 4);
    switch (static_cast<AtomicOp>(i.variant)) {
      case AtomicOp::add_f32:
        value = std::bit_cast<uint32_t>(std::bit_cast<float>(old) + std::bit_cast<float>(value));
        break;
      case AtomicOp::add_u32:
        value += old;
        break;
      case AtomicOp::max_u32:
        value = std::max(value, old);
        break;
      case AtomicOp::min_u32:
        value = std::min(value, old);
        break;
      case AtomicOp::exchange:
        break;
      case AtomicOp::increment:  // to 0 after `value`
        value = old >= value ? 0 : old + 1;
        break;
    }
    std::memcpy(place, &value, 4);
    if (i.flag) x.row<uint32_t>(i.dst[0])[l] = old;
  }
}

void fence(Execution& x, const Instruction&) {
  for (int l = 0; l < lanes; l++) {
    if (x.has(l)) x.view.fence(x.thread(l), x.epoch);
  }
}

void copy_async(Execution& x, const Instruction& i) {
  uint32_t target[lanes], global_mask = 0;
  uint64_t source[lanes];
  for (int l = 0; l < lanes; l++) {
    if (!x.has(l)) continue;
    target[l] = static_cast<uint32_t>(address_of(x, i, l));
    source[l] = x.row<uint64_t>(i.src[1])[l];
    const uint32_t bytes = i.flag ? x.row<uint32_t>(i.src[2])[l] : i.bytes;
    if (bytes > i.bytes) fail(x, i, "cp.async wants more bytes than it copies");
    if (bytes > 0) {
      global_bytes(x, i, source[l], i.bytes, l, Access::read);
      global_mask |= 1u << l;
    }
    const auto lane = static_cast<uint8_t>(l);
    demand(x, i, x.shared.begin_copy(target[l], i.bytes, x.toucher(lane)), l);
    std::memset(x.shared.at(target[l]), 0xff, i.bytes);
    x.warp->uncommitted.push_back({target[l], source[l], static_cast<uint8_t>(bytes), i.bytes, lane});
  }
  count_shared(x, target, x.mask, i.bytes);
  count_global(x, source, global_mask, i.bytes);
}

void commit_copies(Execution& x, const Instruction&) {
  x.warp->groups.push_back(std::move(x.warp->uncommitted));
  x.warp->uncommitted.clear();
}

void wait_for_copies(Execution& x, const Instruction& i) {
  auto& groups = x.warp->groups;
  const auto keep = static_cast<size_t>(i.immediate);
  const size_t arrived = groups.size() > keep ? groups.size() - keep : 0;
  for (size_t g = 0; g < arrived; g++) {
    for (const PendingCopy& copy : groups[g]) {
      uint8_t* target = x.shared.at(copy.target);
      std::memset(target, 0, copy.bytes);
      std::memcpy(target, reinterpret_cast<const void*>(copy.source), copy.source_bytes);
      x.shared.end_copy(copy.target, copy.bytes, x.toucher(copy.lane));
    }
  }
  groups.erase(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(arrived));
}

}  // namespace tintype::ptx
