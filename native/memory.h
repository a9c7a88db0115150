// Blocks of aligned memory whose failure is an error that tells what was needed and what was free.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>

namespace tintype {

// What every address that kernels get is a multiple of, except inputs and outputs that JavaScript owns.
inline constexpr size_t alignment = 64;

constexpr uint64_t round_up(uint64_t bytes, uint64_t multiple) {
  return (bytes + multiple - 1) / multiple * multiple;
}

// Throws OUT_OF_MEMORY when that much is not available. Linux hands out memory that it does not have and
// kills the process when it is touched, so this is asked before large allocations.
void require_memory(uint64_t bytes, const char* purpose);

class Block {
 public:
  Block() = default;
  Block(size_t bytes, const char* purpose);
  Block(Block&& other) noexcept { swap(other); }
  Block& operator=(Block&& other) noexcept {
    Block(std::move(other)).swap(*this);
    return *this;
  }
  ~Block();

  char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void swap(Block& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace tintype
