// A kernel as the executor runs it: instructions whose operands are places in a warp's registers.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "statistics.h"

namespace tintype::ptx {

inline constexpr int lanes = 32;
inline constexpr uint32_t all_lanes = 0xffffffff;
// Where shared memory begins among generic addresses.
inline constexpr uint64_t shared_window = uint64_t{1} << 56;

// Where the variables of a module begin among global addresses.
inline constexpr uint64_t variable_window = uint64_t{1} << 57;

struct Execution;
struct Instruction;
using Handler = void (*)(Execution&, const Instruction&);

// A poll may find that others have to run first.
enum class Flow : uint8_t { next, branch, leave, barrier, poll };
enum class Space : uint8_t { generic, global, shared, param };

struct Instruction {
  Handler run = nullptr;
  // Byte offsets of register rows: one word of 32 or 64 bits for each lane.
  uint32_t dst[4] = {};
  uint32_t src[10] = {};
  uint8_t dst_count = 0, src_count = 0;
  int64_t immediate = 0;  // offset of an address, a count, or which of the accumulators of its kernel
  // Predicates by number, -1 where there is none.
  int predicate_dst = -1, predicate_dst2 = -1, predicate_src = -1, predicate_src2 = -1;
  int guard = -1;
  bool guard_negated = false;
  int target = -1;  // of a branch
  Flow flow = Flow::next;
  Kind kind = Kind::control;
  Space space = Space::generic;
  uint8_t count = 1;    // elements of a vector, matrices of an ldmatrix
  uint8_t bytes = 4;    // of an element
  uint8_t variant = 0;  // which of the operations of a handler, or how it does its own
  bool wide = false;    // the address or source is a 64-bit register
  bool is_signed = false;
  bool flag = false;              // has its optional operand; of loads and stores: registers of 64 bits
  bool touches_products = false;  // has registers that products of warpgroups have somewhere in the kernel
  int line = 0;
};

// What the executor writes into a row before a block starts.
enum class Special : uint8_t {
  tid,
  ntid,
  ctaid_x,
  ctaid_y,
  ctaid_z,
  nctaid_x,
  nctaid_y,
  nctaid_z,
  laneid,
  cluster_ctarank,
  cluster_nctarank,
  cluster_ctaid_x,
  clusterid_x
};

struct Kernel {
  std::string name;
  std::vector<Instruction> code;
  std::vector<std::string> text;                    // of each instruction, for messages
  std::vector<std::vector<uint32_t>> accumulators;  // rows, of each product of a warpgroup
  // Constants and special registers have rows of their own, behind those of the variables.
  struct Constant {
    uint32_t offset;
    bool wide;
    uint64_t value;
  };
  std::vector<Constant> constants;
  struct SpecialRow {
    uint32_t offset;
    Special which;
  };
  std::vector<SpecialRow> specials;
  size_t register_bytes = 0;
  int predicates = 0;
  size_t static_shared_bytes = 0;
  size_t param_bytes = 0;
  // The global variables of its module: zeros when the module is loaded, one set on each device.
  const void* module = nullptr;
  size_t variable_bytes = 0;
  bool has_atomics = false;  // blocks hand over results to one another
  bool has_clocks = false;   // warps meet in other ways than all of a block at once
  uint32_t cluster[3] = {1, 1, 1};
};

}  // namespace tintype::ptx
