// Global memory between the blocks of a launch, with a shadow: which block wrote and read each half-word, and
// what has been handed over. Blocks run in any order, so that what one of them finds of another is a race,
// unless the other has published it (barrier, fence, atomic operation) and it has acquired it (the same
// operation, fence, barrier).
#pragma once
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace tintype::ptx {

// Of other blocks: the last epoch (barriers counted from 1) whose accesses are known to be over.
using SeenBlocks = std::unordered_map<int32_t, uint16_t>;

// What one block knows of the others.
struct BlockView {
  int32_t block = 0;
  SeenBlocks seen;      // from this barrier on
  SeenBlocks acquired;  // from the next one on
  // Of each thread: the epoch of its last fence, and what atomic operations have told it since.
  std::unordered_map<int32_t, uint16_t> fences;
  std::unordered_map<int32_t, SeenBlocks> told;

  void start(int32_t number);
  void fence(int32_t thread, uint16_t epoch);
  void barrier();
};

// Of one launch.
class BlockTraffic {
 public:
  // Each returns an empty string, or what is wrong. `piece` and `pieces` name an allocation and its
  // half-words.
  std::string read(const BlockView& view, uint16_t epoch, uint64_t begin, uint64_t end, uint64_t address,
                   uint32_t bytes);
  std::string write(const BlockView& view, uint16_t epoch, uint64_t begin, uint64_t end, uint64_t address,
                    uint32_t bytes);
  // An atomic operation of a thread publishes what lies before its last fence, and tells it what others
  // published.
  void atomic(BlockView& view, int32_t thread, uint64_t address);

  std::mutex mutex;

 private:
  static constexpr int32_t none = 0, many = -1;
  // Blocks are counted from 1, so that zeros mean nobody.
  struct Cell {
    int32_t writer, reader;
    uint16_t write_epoch, read_epoch;
  };
  struct Release {
    void operator()(void* cells) const { std::free(cells); }
  };

  Cell* cells(uint64_t begin, uint64_t end);

  std::unordered_map<uint64_t, std::unique_ptr<Cell, Release>> shadows_;  // by where the allocation begins
  std::unordered_map<uint64_t, SeenBlocks> published_;  // by address of the atomic operations
};

}  // namespace tintype::ptx
