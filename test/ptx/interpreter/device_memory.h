// Global memory of the interpreted device: named allocations that know their exact size, filled with NaN.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tintype::ptx {

class DeviceMemory {
 public:
  void* allocate(size_t bytes, std::string name);
  // Its address is never used again: who still reads it is found out.
  void free(void* block);

  // The global variables of a module, zeros at first.
  uint8_t* variables(const void* module, size_t bytes) const;

  // The number of the allocation that holds these bytes, or -1. `guess` is looked at first.
  int find(uint64_t address, uint32_t bytes, int guess) const;
  // Where that allocation begins and ends.
  uint64_t begin(int number) const { return allocations_[static_cast<size_t>(number)].begin; }
  uint64_t end(int number) const { return allocations_[static_cast<size_t>(number)].end; }
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
  std::vector<std::unique_ptr<void, Release>> freed_;
  mutable std::map<const void*, std::vector<uint8_t>> variables_;
};

}  // namespace tintype::ptx
