// Checked access to the memories of the device: everything that leaves its bounds ends in a Fault.
#pragma once
#include "execution.h"

namespace tintype::ptx {

// Of a lane, with the offset of the instruction.
inline uint64_t address_of(Execution& x, const Instruction& i, int lane) {
  const uint64_t base = i.wide ? x.row<uint64_t>(i.src[0])[lane] : x.row<uint32_t>(i.src[0])[lane];
  return base + static_cast<uint64_t>(i.immediate);
}

enum class Access { read, write, atomic };

uint8_t* global_bytes(Execution& x, const Instruction& i, uint64_t address, uint32_t bytes, int lane,
                      Access access);
// Faults with what SharedMemory found wrong, if anything.
void demand(Execution& x, const Instruction& i, const char* wrong, int lane);
const uint8_t* read_shared(Execution& x, const Instruction& i, uint32_t address, uint32_t bytes,
                           uint8_t lane);

}  // namespace tintype::ptx
