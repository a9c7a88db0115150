// What a launch did, counted.
#pragma once
#include <array>
#include <cstdint>

namespace tintype::ptx {

// What part of a processor an instruction keeps busy.
enum class Kind : uint8_t { integer, floating, special, move, memory, control, matrix, synchronize };
inline constexpr std::array kind_names = {"integer", "floating", "special", "move",
                                          "memory",  "control",  "matrix",  "synchronize"};

struct Statistics {
  std::array<uint64_t, kind_names.size()> warp_instructions{};
  uint64_t thread_instructions = 0;
  // Of the sampled blocks: wavefronts and sectors that accesses took, and what the same bytes need at best.
  uint64_t shared_wavefronts = 0, shared_ideal = 0;
  uint64_t global_sectors = 0, global_ideal = 0;

  void add(const Statistics& other) {
    for (size_t i = 0; i < warp_instructions.size(); i++) warp_instructions[i] += other.warp_instructions[i];
    thread_instructions += other.thread_instructions;
    shared_wavefronts += other.shared_wavefronts;
    shared_ideal += other.shared_ideal;
    global_sectors += other.global_sectors;
    global_ideal += other.global_ideal;
  }
};

}  // namespace tintype::ptx
