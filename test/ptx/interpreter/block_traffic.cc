#include "block_traffic.h"

#include <algorithm>
#include <new>

namespace tintype::ptx {

namespace {

constexpr uint64_t granule = 2;

void merge(SeenBlocks& into, const SeenBlocks& from) {
  for (const auto& [block, epoch] : from) into[block] = std::max(into[block], epoch);
}

bool knows(const BlockView& view, int32_t block, uint16_t epoch) {
  const auto found = view.seen.find(block);
  return found != view.seen.end() && found->second >= epoch;
}

}  // namespace

void BlockView::start(int32_t number) {
  block = number;
  seen.clear();
  acquired.clear();
  fences.clear();
  told.clear();
}

void BlockView::fence(int32_t thread, uint16_t epoch) {
  fences[thread] = epoch;
  const auto found = told.find(thread);
  if (found == told.end()) return;
  merge(acquired, found->second);
  told.erase(found);
}

void BlockView::barrier() {
  if (acquired.empty()) return;
  merge(seen, acquired);
  acquired.clear();
}

BlockTraffic::Cell* BlockTraffic::cells(uint64_t begin, uint64_t end) {
  auto& shadow = shadows_[begin];
  if (!shadow) {
    shadow.reset(static_cast<Cell*>(std::calloc((end - begin) / granule + 1, sizeof(Cell))));
    if (!shadow) throw std::bad_alloc();
  }
  return shadow.get();
}

std::string BlockTraffic::read(const BlockView& view, uint16_t epoch, uint64_t begin, uint64_t end,
                               uint64_t address, uint32_t bytes) {
  Cell* all = cells(begin, end);
  for (uint64_t i = (address - begin) / granule; i < (address - begin + bytes + 1) / granule; i++) {
    Cell& c = all[i];
    if (c.writer != none && c.writer != view.block && !knows(view, c.writer, c.write_epoch)) {
      return "race between blocks: read after write by block number " + std::to_string(c.writer - 1);
    }
    c.reader = c.reader == none || c.reader == view.block ? view.block : many;
    c.read_epoch = epoch;
  }
  return {};
}

std::string BlockTraffic::write(const BlockView& view, uint16_t epoch, uint64_t begin, uint64_t end,
                                uint64_t address, uint32_t bytes) {
  Cell* all = cells(begin, end);
  for (uint64_t i = (address - begin) / granule; i < (address - begin + bytes + 1) / granule; i++) {
    Cell& c = all[i];
    if (c.writer != none && c.writer != view.block && !knows(view, c.writer, c.write_epoch)) {
      return "race between blocks: write after write by block number " + std::to_string(c.writer - 1);
    }
    if (c.reader == many) return "race between blocks: write of what several blocks read";
    if (c.reader != none && c.reader != view.block && !knows(view, c.reader, c.read_epoch)) {
      return "race between blocks: write after read by block number " + std::to_string(c.reader - 1);
    }
    c.writer = view.block;
    c.write_epoch = epoch;
  }
  return {};
}

void BlockTraffic::atomic(BlockView& view, int32_t thread, uint64_t address) {
  SeenBlocks& published = published_[address];
  if (!published.empty()) merge(view.told[thread], published);
  const auto fence = view.fences.find(thread);
  if (fence == view.fences.end()) return;
  merge(published, view.seen);
  // What the barrier before the fence has brought together.
  if (fence->second > 1) {
    uint16_t& epoch = published[view.block];
    epoch = std::max<uint16_t>(epoch, static_cast<uint16_t>(fence->second - 1));
  }
}

}  // namespace tintype::ptx
