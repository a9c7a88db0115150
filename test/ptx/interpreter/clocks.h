// Which accesses of a cluster come before which others, where warps meet in other ways than all of a block at
// once: every thread knows how far every other thread has come (vector clocks). Threads tell what they know
// by what they release, and learn it by what they acquire.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tintype::ptx {

// Grows with every release, fence and __syncwarp of a warp; 0 is before all.
using Time = uint16_t;
// How far each thread and each mbarrier of the cluster has come, by their columns.
using Clock = std::vector<Time>;

// A thread, or all of a warp together. Warps are counted through the cluster.
struct Who {
  int warp;
  uint8_t lane;  // or Toucher::all
};

class Clocks {
 public:
  static constexpr int mbarriers_of_block = 64;
  // What is known of an mbarrier is how far it has come: these, and then the number of phases that are over.
  static constexpr Time initialized = 1, init_fenced = 2;

  void reset(int blocks, int warps_of_block, int threads_of_block);
  void leave(int warp, uint32_t lanes) { alive_[static_cast<size_t>(warp)] &= ~lanes; }

  int column(int warp, int lane) const { return warp * 32 + lane; }
  int mbarrier_column(int block, int number) const;
  bool is_mbarrier(int column) const { return column >= threads_; }
  void name_mbarrier(int column, uint32_t address) { addresses_[column] = address; }

  Time now(int warp) const { return now_[static_cast<size_t>(warp)]; }
  void tick(int warp);
  // Whether all that the column has done until then comes before what is done now. All lanes of a warp must
  // know it of one another.
  bool knows(const Who& who, int column, Time time);
  // Whether that is known of any lane of another warp.
  bool knows_some_lane(const Who& who, int warp, Time time);
  static bool has_some_lane(const Clock& clock, int warp, Time time);
  void learn(const Who& who, int column, Time time);

  Clock none() const { return Clock(static_cast<size_t>(columns_)); }
  void release(const Who& who, Clock& into);
  // Of mbarriers that the thread has initialized and fenced, and nothing else.
  void release_inits(const Who& who, Clock& into);
  void acquire(const Who& who, const Clock& from);
  // The lanes of a warp tell one another all.
  void meet(int warp);
  // What the threads of a block know together.
  Clock known_in(int block);

  // The thread has fenced what it wrote for the async proxy.
  void publish(const Who& who);
  enum class Published { yes, not_fenced, not_known };
  Published published(const Who& who, int writer, Time time);

  // "warp 3 lane 1", of one block; "block 1 of the cluster warp 3 lane 1"; "the mbarrier at 1024"
  std::string describe(int column) const;

 private:
  static constexpr Time always = 0xffff;  // what a thread knows of itself
  Time* known(int warp, int lane) {
    return known_.data() + static_cast<size_t>(column(warp, lane) * columns_);
  }
  // What all lanes of a warp know.
  const Clock& common(int warp);
  void join_thread(int warp, int lane, Clock& into);

  int blocks_ = 0, warps_of_block_ = 0, threads_ = 0, columns_ = 0;
  std::vector<Time> known_, now_;
  std::vector<uint32_t> alive_;
  std::vector<Clock> common_;
  std::vector<bool> common_is_old_;
  std::vector<std::vector<Time>> fences_;
  std::map<int, uint32_t> addresses_;
};

}  // namespace tintype::ptx
