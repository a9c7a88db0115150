// The shadow of shared memory where warps meet by mbarriers, named barriers or clusters: who wrote and read
// each half-word, and whether that comes before what is done now is asked of clocks. Whole chunks of 16 bytes
// that were touched alike have one cell together.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "clocks.h"

namespace tintype::ptx {

class ClockedShadow {
 public:
  // Of a new block.
  void reset(uint32_t bytes, Clocks* clocks);

  // Each returns nullptr, or what is wrong; `detail()` says with whom. All are within bounds.
  const char* read(uint32_t address, uint32_t bytes, const Who& who);
  const char* write(uint32_t address, uint32_t bytes, const Who& who);
  const char* atomic(uint32_t address, uint32_t bytes, const Who& who);
  const char* begin_copy(uint32_t address, uint32_t bytes, const Who& who);
  void end_copy(uint32_t address, uint32_t bytes, const Who& who);
  const char* begin_product(uint32_t address, uint32_t bytes, const Who& who);
  void end_product(uint32_t address, uint32_t bytes, const Who& who);
  // The async proxy writes; the copy is over when the mbarrier has come to `time`.
  const char* begin_bulk_copy(uint32_t address, uint32_t bytes, const Who& who, int mbarrier, Time time);
  void end_bulk_copy(uint32_t address, uint32_t bytes);
  // From here to there the bytes are an mbarrier, and for ordinary accesses no memory.
  const char* begin_mbarrier(uint32_t address, const Who& who);
  void end_mbarrier(uint32_t address, const Who& who);
  const std::string& detail() const { return detail_; }

 private:
  static constexpr int nobody = -1;
  static constexpr uint32_t some_lane = 0;  // of accesses that all of a warp do together
  struct Touch {
    int warp;
    uint32_t lanes;
    Time time;
    bool is_atomic;
  };
  struct Cell {
    int writer = nobody;  // a column
    Time time = 0;
    uint16_t products = 0;  // in flight that read it
    bool in_flight = false, is_mbarrier = false;
    std::vector<Touch> touches;  // since it was written
  };
  struct Chunk {
    Cell whole;
    std::vector<Cell> parts;  // instead, where half-words were touched apart
  };

  template <class F>
  const char* each(uint32_t address, uint32_t bytes, F f);
  void join(uint32_t address, uint32_t bytes);
  void note_touch(Cell& cell, const Who& who, bool is_atomic);
  void note_write(Cell& cell, int writer, Time time);
  bool comes_before(const Touch& touch, const Who& who);
  const char* check_write(Cell& cell, const Who& who, uint32_t address);
  const char* check_touches(const Cell& cell, const Who& who, uint32_t address, bool of_reads);
  const char* check_writer(const Cell& cell, const Who& who, uint32_t address, int verb);
  const char* check_state(const Cell& cell, uint32_t address, bool writes);
  const char* fail(const char* what, int column, uint32_t address);

  Clocks* clocks_ = nullptr;
  uint32_t bytes_ = 0;
  std::vector<Chunk> chunks_;
  std::string detail_;
};

}  // namespace tintype::ptx
