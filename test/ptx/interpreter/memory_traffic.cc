#include "memory_traffic.h"

#include <algorithm>
#include <bit>

namespace tintype::ptx {

namespace {

constexpr uint32_t banks = 32, bank_bytes = 4, sector_bytes = 32, chunk_bytes = 16;

// Lanes that are served together: as many as can move 128 bytes.
uint32_t lanes_at_once(uint32_t bytes) {
  return bytes >= 16 ? 8 : bytes == 8 ? 16 : 32;
}

// The most different words of one bank that these lanes want.
uint32_t deepest_bank(const uint32_t* address, uint32_t mask, uint32_t bytes, uint32_t first, uint32_t end) {
  uint32_t words[banks][lanes], count[banks] = {}, deepest = 0;
  for (uint32_t l = first; l < end; l++) {
    if (!(mask >> l & 1)) continue;
    for (uint32_t w = 0; w < (bytes + bank_bytes - 1) / bank_bytes; w++) {
      const uint32_t word = address[l] / bank_bytes + w, bank = word % banks;
      uint32_t* known = words[bank];
      if (std::find(known, known + count[bank], word) != known + count[bank]) continue;
      known[count[bank]++] = word;
      deepest = std::max(deepest, count[bank]);
    }
  }
  return deepest;
}

}  // namespace

void count_shared(Execution& x, const uint32_t* address, uint32_t mask, uint32_t bytes) {
  if (!x.sampled || !mask) return;
  const uint32_t step = lanes_at_once(bytes);
  for (uint32_t l = 0; l < lanes; l += step) {
    x.statistics.shared_wavefronts += deepest_bank(address, mask, bytes, l, l + step);
  }
  const uint32_t total = static_cast<uint32_t>(std::popcount(mask)) * bytes;
  x.statistics.shared_ideal += std::max(1u, (total + banks * bank_bytes - 1) / (banks * bank_bytes));
}

void count_global(Execution& x, const uint64_t* address, uint32_t mask, uint32_t bytes) {
  if (!x.sampled || !mask) return;
  uint64_t sectors[2 * lanes];
  int count = 0;
  for (int l = 0; l < lanes; l++) {
    if (!(mask >> l & 1)) continue;
    for (uint64_t s = address[l] / sector_bytes; s <= (address[l] + bytes - 1) / sector_bytes; s++) {
      if (std::find(sectors, sectors + count, s) == sectors + count) sectors[count++] = s;
    }
  }
  const uint32_t total = static_cast<uint32_t>(std::popcount(mask)) * bytes;
  x.statistics.global_sectors += static_cast<uint64_t>(count);
  x.statistics.global_ideal += (total + sector_bytes - 1) / sector_bytes;
}

// Whole lines of shared memory at a time; zeros come from nowhere.
void count_bulk(Execution& x, const std::vector<const uint8_t*>& chunks) {
  if (!x.sampled) return;
  const uint64_t lines = (chunks.size() * chunk_bytes + banks * bank_bytes - 1) / (banks * bank_bytes);
  x.statistics.shared_wavefronts += lines;
  x.statistics.shared_ideal += lines;
  uint64_t read = 0, last = 0;
  for (const uint8_t* chunk : chunks) {
    if (!chunk) continue;
    const uint64_t sector = reinterpret_cast<uint64_t>(chunk) / sector_bytes;
    if (sector != last) x.statistics.global_sectors++;
    last = sector;
    read += chunk_bytes;
  }
  x.statistics.global_ideal += (read + sector_bytes - 1) / sector_bytes;
}

}  // namespace tintype::ptx
