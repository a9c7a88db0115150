#include "device_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace tintype::ptx {

void* DeviceMemory::allocate(size_t bytes, std::string name) {
  const size_t padded = (bytes + 511) / 256 * 256;
  void* block = std::aligned_alloc(256, padded);
  if (!block) throw std::bad_alloc();
  std::memset(block, 0xff, padded);
  const uint64_t begin = reinterpret_cast<uint64_t>(block);
  allocations_.insert(behind(begin), {begin, begin + bytes, std::move(name), {block, Release()}});
  return block;
}

void DeviceMemory::free(void* block) {
  const auto after = behind(reinterpret_cast<uint64_t>(block));
  if (after == allocations_.begin() || std::prev(after)->block.get() != block) return;
  const auto found = allocations_.begin() + (std::prev(after) - allocations_.cbegin());
  // The address stays taken, the pages within go back to the system.
  constexpr uint64_t page = 4096;
  const uint64_t first = (found->begin + page - 1) / page * page, last = found->end / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  freed_.push_back(std::move(found->block));
  allocations_.erase(found);
}

std::vector<DeviceMemory::Allocation>::const_iterator DeviceMemory::behind(uint64_t address) const {
  return std::upper_bound(allocations_.begin(), allocations_.end(), address,
                          [](uint64_t a, const Allocation& b) { return a < b.begin; });
}

uint8_t* DeviceMemory::variables(const void* module, size_t bytes) const {
  std::vector<uint8_t>& all = variables_[module];
  if (all.size() < bytes) all.resize(bytes);
  return all.data();
}

int DeviceMemory::find(uint64_t address, uint32_t bytes, int guess) const {
  if (guess < static_cast<int>(allocations_.size()) && allocations_[guess].holds(address, bytes))
    return guess;
  const auto after = behind(address);
  const bool found = after != allocations_.begin() && std::prev(after)->holds(address, bytes);
  return found ? static_cast<int>(after - allocations_.begin()) - 1 : -1;
}

std::string DeviceMemory::describe(uint64_t address) const {
  const uint64_t near = 65536;
  std::string text;
  for (const auto& a : allocations_) {
    if (address + near < a.begin || address >= a.end + near) continue;
    const auto offset = static_cast<int64_t>(address - a.begin);
    text += (text.empty() ? "" : ", ") + a.name + " + " + std::to_string(offset) + " of " +
            std::to_string(a.end - a.begin);
  }
  return text.empty() ? "far from every allocation" : text;
}

}  // namespace tintype::ptx
