#include "liveness.h"

#include <algorithm>
#include <array>
#include <set>

#include "instruction_set.h"

namespace tintype::ptx {

namespace {

using Bits = std::vector<bool>;

// A stretch of instructions that only branches at its end; `live_in` is what it or a later one may read.
struct Block {
  int begin, end;
  std::vector<int> successors;
  Bits reads, writes, live_in;
};

std::vector<Block> blocks_of(const std::vector<Instruction>& code) {
  const int size = static_cast<int>(code.size());
  std::set<int> starts = {0};
  for (int i = 0; i < size; i++) {
    if (code[i].flow == Flow::branch) starts.insert(code[i].target);
    if (code[i].flow == Flow::branch || code[i].flow == Flow::leave) starts.insert(i + 1);
  }
  starts.erase(size);
  std::vector<Block> blocks;
  std::vector<int> block_at(static_cast<size_t>(size), -1);
  for (auto start = starts.begin(); start != starts.end(); ++start) {
    const auto next = std::next(start);
    block_at[*start] = static_cast<int>(blocks.size());
    blocks.push_back({*start, next == starts.end() ? size : *next, {}, {}, {}, {}});
  }
  for (Block& block : blocks) {
    const Instruction& last = code[block.end - 1];
    if (last.flow == Flow::branch) block.successors.push_back(block_at[last.target]);
    const bool falls_through = last.guard >= 0 || (last.flow != Flow::branch && last.flow != Flow::leave);
    if (falls_through && block.end < size) block.successors.push_back(block_at[block.end]);
  }
  return blocks;
}

void find_reads_and_writes(Block& block, const std::vector<Instruction>& code,
                           const std::vector<Operands>& operands, size_t registers) {
  block.reads.assign(registers, false);
  block.writes.assign(registers, false);
  for (int i = block.begin; i < block.end; i++) {
    for (const int r : operands[i].src) {
      if (!block.writes[r]) block.reads[r] = true;
    }
    for (const int r : operands[i].accumulators) {
      if (!block.writes[r]) block.reads[r] = true;
      block.writes[r] = true;
    }
    for (const int r : operands[i].dst) {
      // Under a guard some lanes keep what was there.
      if (code[i].guard >= 0 && !block.writes[r]) block.reads[r] = true;
      block.writes[r] = true;
    }
  }
  block.live_in = block.reads;
}

Bits live_out(const Block& block, const std::vector<Block>& blocks, size_t registers) {
  Bits live(registers, false);
  for (const int s : block.successors) {
    for (size_t r = 0; r < registers; r++) {
      if (blocks[s].live_in[r]) live[r] = true;
    }
  }
  return live;
}

void propagate(std::vector<Block>& blocks, size_t registers) {
  for (bool changed = true; changed;) {
    changed = false;
    for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
      const Bits out = live_out(*block, blocks, registers);
      for (size_t r = 0; r < registers; r++) {
        if (out[r] && !block->writes[r] && !block->live_in[r]) {
          block->live_in[r] = true;
          changed = true;
        }
      }
    }
  }
}

// Calls f with all instructions at which products of instruction i may be in flight: on every way from there
// to a wait that leaves fewer groups in flight than have been committed since.
template <class F>
void while_in_flight(const std::vector<Instruction>& code, int i, F f) {
  constexpr int most_groups = 8;  // wait_group leaves up to 7 in flight
  std::vector<std::array<bool, most_groups + 1>> seen(code.size());
  std::vector<std::pair<int, int>> left = {{i + 1, 0}};
  while (!left.empty()) {
    auto [at, committed] = left.back();
    left.pop_back();
    for (; at < static_cast<int>(code.size()) && !seen[at][committed]; at++) {
      seen[at][committed] = true;
      const Instruction& now = code[at];
      f(at);
      if (now.run == commit_products) committed = std::min(committed + 1, most_groups);
      if (now.run == wait_for_products && now.immediate < committed) break;
      if (now.flow == Flow::branch) left.emplace_back(now.target, committed);
      if ((now.flow == Flow::branch || now.flow == Flow::leave) && now.guard < 0) break;
    }
  }
}

}  // namespace

std::vector<LiveRange> live_ranges(const std::vector<Instruction>& code,
                                   const std::vector<Operands>& operands, size_t registers) {
  std::vector<LiveRange> ranges(registers);
  const auto extend = [&](size_t r, int to) {
    ranges[r].first = std::min(ranges[r].first, to);
    ranges[r].last = std::max(ranges[r].last, to);
  };
  auto blocks = blocks_of(code);
  for (Block& block : blocks) find_reads_and_writes(block, code, operands, registers);
  propagate(blocks, registers);
  for (const Block& block : blocks) {
    const Bits out = live_out(block, blocks, registers);
    for (size_t r = 0; r < registers; r++) {
      if (block.live_in[r]) extend(r, block.begin);
      if (out[r]) extend(r, block.end - 1);
    }
    for (int i = block.begin; i < block.end; i++) {
      for (const int r : operands[i].src) extend(static_cast<size_t>(r), i);
      for (const int r : operands[i].dst) extend(static_cast<size_t>(r), i);
      for (const int r : operands[i].accumulators) extend(static_cast<size_t>(r), i);
      if (operands[i].factors.empty()) continue;
      while_in_flight(code, i, [&](int at) {
        for (const int r : operands[i].factors) extend(static_cast<size_t>(r), at);
      });
    }
  }
  return ranges;
}

}  // namespace tintype::ptx
