// How many wavefronts a request to shared memory takes, and how many sectors one to global memory.
#pragma once
#include <cstdint>
#include <vector>

#include "execution.h"

namespace tintype::ptx {

// `address` of each lane of the mask, `bytes` from it on.
void count_shared(Execution& x, const uint32_t* address, uint32_t mask, uint32_t bytes);
void count_global(Execution& x, const uint64_t* address, uint32_t mask, uint32_t bytes);
// The sources of a bulk copy's chunks of 16 bytes, null for zeros.
void count_bulk(Execution& x, const std::vector<const uint8_t*>& chunks);

}  // namespace tintype::ptx
