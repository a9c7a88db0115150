// Virtual registers of a kernel, and the rows of a warp's registers that they share. Few rows are fast: they
// stay in the caches.
#pragma once
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "program.h"

namespace tintype::ptx {

// What an instruction reads and writes, as numbers of virtual registers.
struct Operands {
  std::vector<int> dst, src;
  std::vector<int> accumulators;  // of a warpgroup: both
  std::vector<int> factors;       // of a warpgroup: sources that are read until its products are waited for
};

class Registers {
 public:
  enum class Width { predicate, word, wide };

  void open_scope() { scopes_.emplace_back(); }
  void close_scope() { scopes_.pop_back(); }
  // ".reg .b32 %r<9>"
  void declare(const std::string& directive);
  int add(Width width);

  // The register of that name, or -1.
  int find(const std::string& name) const;
  Width width(int id) const { return registers_[id].width; }
  int constant(uint64_t value, bool wide);
  // %tid.x and its like; -1 for unknown names.
  int special(const std::string& name);

  // Gives every register its place, and fills in the operands and the rows of the kernel.
  void allocate(Kernel& kernel, const std::vector<Operands>& operands);

 private:
  struct Register {
    Width width;
    int first = INT32_MAX, last = -1;  // where it is live, as a range of instructions
    uint32_t place = 0;                // byte offset of the row, or number of the predicate
  };
  void find_live_ranges(const Kernel& kernel, const std::vector<Operands>& operands);
  uint32_t place_rows(Width width, uint32_t base);
  void place_predicates(Kernel& kernel);
  void place_accumulators(Kernel& kernel, const std::vector<Operands>& operands);

  std::vector<Register> registers_;
  std::vector<std::unordered_map<std::string, int>> scopes_;
  std::map<std::pair<uint64_t, bool>, int> constants_;
  std::map<Special, int> specials_;
};

}  // namespace tintype::ptx
