// What this machine has for us: cores and memory, as the operating system and its containers grant them.
#pragma once
#include <cstdint>
#include <string>

namespace tintype {

// Cores that this process may use: affinity mask and control-group quota count.
int available_cores();

// Bytes that can be allocated now without swapping or being killed for it.
uint64_t available_memory();

std::string cpu_name();

// Bytes of the second-level cache of a core, the first one where they differ; 0 if nobody says.
uint64_t l2_bytes();

// TINTYPE_THREADS, or one for each core that the process may use.
int default_threads();
inline constexpr int most_threads = 256;

}  // namespace tintype
