// Runs blocks: each for itself, its warps in turns from barrier to barrier, or those of a cluster together.
#pragma once
#include <memory>
#include <random>
#include <vector>

#include "block.h"
#include "named_barriers.h"

namespace tintype::ptx {

class Runner {
 public:
  virtual ~Runner() = default;
  // A block or a cluster.
  virtual void run(int64_t number) = 0;
  virtual Statistics statistics() = 0;
};

// Of blocks whose warps only meet all at once.
class BlockRunner : public Runner {
 public:
  explicit BlockRunner(const LaunchContext& context);
  void run(int64_t number) override;
  Statistics statistics() override { return block_.execution().statistics; }

 private:
  const Options& options_;
  std::mt19937_64 random_;
  Block block_;
  std::vector<Warp*> order_;
};

class ClusterRunner : public Runner {
 public:
  explicit ClusterRunner(const LaunchContext& context);
  void run(int64_t number) override;
  Statistics statistics() override;

 private:
  // A warp, the block that it is of, and the barriers of that.
  struct Turn {
    Warp* warp;
    Block* block;
    NamedBarriers* barriers;
  };
  void start(int64_t number);
  int64_t block_number(int64_t cluster, uint32_t rank) const;
  void take_turn(const Turn& turn);
  [[noreturn]] void report_deadlock();
  void check_end();

  const LaunchContext context_;
  std::mt19937_64 random_;
  Cluster cluster_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<NamedBarriers> barriers_;
  std::vector<Turn> turns_;
};

}  // namespace tintype::ptx
