// A compiled graph as data, checked: after parse_plan() nothing in it can make a kernel leave its memory.
//
// The encoded form, version 1, is little-endian 32-bit words (lib/graph/encode.ts writes it):
//   header: "TTPL", version, arena bytes (low, high), number of values, nodes, input slots, output slots
//   values: space, dtype, offset or index (low, high), bytes (low, high)
//           space 0 arena (offset, a multiple of 64), 1 input and 2 output (slot), 3 weight (index in the
//           WeightSet, which knows dtype and size: those of the plan are not read)
//   nodes:  opcode, dimensions, operands (value, or 0xffffffff where absent), parameters, as op_infos says
#pragma once
#include <cstdint>
#include <vector>

#include "decode.gen.h"
#include "weights.h"

namespace tintype {

enum class Space : uint32_t { arena, input, output, weight };

// Where the pointer of an operand comes from when the program runs.
struct Binding {
  Space space;
  uint64_t place;  // offset in the arena, or slot
  uint64_t bytes;  // of what is no weight
  WeightUse weight;
};

// What JavaScript must hand in for a slot; no bytes where no value names the slot.
struct Slot {
  DType dtype;
  uint64_t bytes;
};

inline constexpr uint32_t absent = 0xffffffff;

struct Node {
  Opcode opcode;
  std::vector<uint32_t> words;  // as encoded, but operands are indices of bindings
  const OpInfo& info() const { return op_infos[static_cast<uint32_t>(opcode)]; }
};

struct Precisions {
  bool f32, f16, bf16;
};

struct Plan {
  Precisions activations;          // but for operands that keep float32
  bool multiplies_bf16 = false;    // other than by its weights
  bool contracts = false;          // in place, which only the CPU can
  bool measures_channels = false;  // so does this
  uint64_t arena_bytes;
  std::vector<Slot> inputs, outputs;
  std::vector<Binding> bindings;
  std::vector<Node> nodes;
};

// Throws INTERNAL, naming op and operand, for anything that is not right. `weights` may be null.
Plan parse_plan(std::vector<uint32_t> words, const Weights* weights);

}  // namespace tintype
