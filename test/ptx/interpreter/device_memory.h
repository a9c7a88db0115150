// Global memory of the interpreted device: named allocations that know their exact size, filled with NaN.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace tintype::ptx {

class DeviceMemory {
 public:
  void* allocate(size_t bytes, std::string name);
  void free(void* block);

  // The number of the allocation that holds these bytes, or -1. `guess` is looked at first.
  int find(uint64_t address, uint32_t bytes, int guess) const;
  // "x + 640 of 640" for the allocations near an address.
  std::string describe(uint64_t address) const;

 private:
  struct Release {
    void operator()(void* block) const { std::free(block); }
  };
  struct Allocation {
    uint64_t begin, end;
    std::string name;
    std::unique_ptr<void, Release> block;
    bool holds(uint64_t address, uint32_t bytes) const { return address >= begin && address + bytes <= end; }
  };
  // The first allocation that begins after an address.
  std::vector<Allocation>::const_iterator behind(uint64_t address) const;

  std::vector<Allocation> allocations_;  // by address
};

}  // namespace tintype::ptx
