#include "device_memory.h"

#include <cstring>
#include <new>

namespace tintype::ptx {

void* DeviceMemory::allocate(size_t bytes, std::string name) {
  const size_t padded = (bytes + 511) / 256 * 256;
  void* block = std::aligned_alloc(256, padded);
  if (!block) throw std::bad_alloc();
  std::memset(block, 0xff, padded);
  const uint64_t begin = reinterpret_cast<uint64_t>(block);
  allocations_.push_back({begin, begin + bytes, std::move(name), {block, Release()}});
  return block;
}

int DeviceMemory::find(uint64_t address, uint32_t bytes, int guess) const {
  const int count = static_cast<int>(allocations_.size());
  if (guess < count && allocations_[guess].holds(address, bytes)) return guess;
  for (int i = 0; i < count; i++) {
    if (allocations_[i].holds(address, bytes)) return i;
  }
  return -1;
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
