// The instructions that are a function of their operands lane by lane, by name.
#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "program.h"

namespace tintype::ptx {

struct LanewiseInstruction {
  Handler run;
  bool wide_dst;
  std::vector<bool> wide_src;
  Kind kind;
};

using InstructionTable = std::unordered_map<std::string, LanewiseInstruction>;

// Names without what makes no difference here: rounding to nearest, .ftz, .approx, cache hints.
const InstructionTable& lanewise_instructions();

void add_integer_instructions(InstructionTable& table);
void add_float_instructions(InstructionTable& table);

// Instructions with a shape of their own; the reader fills in their fields.
void load(Execution&, const Instruction&);
void store(Execution&, const Instruction&);
void atomic(Execution&, const Instruction&);  // variant: AtomicOp
void copy_async(Execution&, const Instruction&);
void commit_copies(Execution&, const Instruction&);
void wait_for_copies(Execution&, const Instruction&);  // immediate: groups that may stay in flight
void load_matrices(Execution&, const Instruction&);    // flag: transposed
Handler multiply_matrices(bool bf16, bool k16);
Handler multiply_matrices_in_f16(bool k16);  // sums in fp16
// Of a warpgroup.
Handler multiply_warpgroup(
    bool bf16);  // immediate: which accumulators of the kernel; variant: WarpgroupProduct
void fence_warpgroup(Execution&, const Instruction&);
void commit_products(Execution&, const Instruction&);
void wait_for_products(Execution&, const Instruction&);  // immediate: groups that may stay in flight
void fence_proxy(Execution&, const Instruction&);        // what was written, for those products
void touch_products(Execution&, const Instruction&);     // what any other instruction does to their registers
void set_register_count(Execution&, const Instruction&);  // immediate: for each thread
void shuffle(Execution&, const Instruction&);             // variant: ShuffleMode
void ballot(Execution&, const Instruction&);
void elect(Execution&, const Instruction&);
void sync_warp(Execution&, const Instruction&);
void trap(Execution&, const Instruction&);
void fence(Execution&, const Instruction&);
// Of mbarriers; variant: MbarrierUse.
void init_mbarrier(Execution&, const Instruction&);
void invalidate_mbarrier(Execution&, const Instruction&);
void fence_mbarrier_inits(Execution&, const Instruction&);
void arrive_at_mbarrier(Execution&, const Instruction&);  // flag: has a count, or bytes
void wait_for_mbarrier(Execution&, const Instruction&);
void copy_bulk(Execution&, const Instruction&);  // flag: to the blocks of a mask
void copy_box(Execution&, const Instruction&);   // count: of coordinates, flag: of patches
// Of a cluster.
void map_address(Execution&, const Instruction&);
void arrive_at_cluster(Execution&, const Instruction&);   // flag: releases
void wait_for_cluster(Execution&, const Instruction&);    // flag: acquires
Handler compare(const std::string& type);                 // variant: Comparison
void combine_predicates(Execution&, const Instruction&);  // variant: PredicateOp
void select32(Execution&, const Instruction&);
void select64(Execution&, const Instruction&);
void convert_integer(Execution&, const Instruction&);  // count: bytes of dst, bytes: of src
void pack_halves(Execution&, const Instruction&);
void unpack_halves(Execution&, const Instruction&);
void pack_words(Execution&, const Instruction&);
void unpack_words(Execution&, const Instruction&);

namespace MbarrierUse {
inline constexpr uint8_t for_cluster = 1;    // releases or acquires beyond the block
inline constexpr uint8_t is_relaxed = 2;     // neither
inline constexpr uint8_t in_cluster = 4;     // the address is one of the cluster
inline constexpr uint8_t by_state = 8;       // waits for the phase of a state, not for a parity
inline constexpr uint8_t expects = 16;       // bytes
inline constexpr uint8_t only_expects = 32;  // and does not arrive
}  // namespace MbarrierUse

enum class AtomicOp : uint8_t { add_f32, add_u32, max_u32, min_u32, exchange, increment };
enum class ShuffleMode : uint8_t { butterfly, down, up, index };
enum class PredicateOp : uint8_t { conjunction, disjunction, exclusive, negation, copy };
// The unordered ones hold for NaN too.
enum class Comparison : uint8_t { eq, ne, lt, le, gt, ge, equ, neu, ltu, leu, gtu, geu, num, nan };
enum class Combination : uint8_t { none, conjunction, disjunction, exclusive };  // of a compare, in `count`

}  // namespace tintype::ptx
