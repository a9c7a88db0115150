// Instructions by which warps and blocks meet, and copies that report to mbarriers.
#include <algorithm>
#include <cstdlib>

#include "instruction_set.h"
#include "reader.h"

namespace tintype::ptx {

namespace {

// membar.gl, fence.acq_rel.gpu, fence.sc.gpu
bool fences_all_blocks(const std::string& text) {
  return text.find(".gl") != std::string::npos || text.find(".gpu") != std::string::npos;
}

bool is_relaxed(const std::string& text) {
  return text.find(".relaxed") != std::string::npos;
}

// "[%r1]"
std::string inside(const std::string& operand) {
  return operand.substr(1, operand.size() - 2);
}

}  // namespace

// .reqnctapercluster 2, 1, 1
void KernelReader::read_cluster(const std::string& directives) {
  const std::string name = ".reqnctapercluster";
  size_t at = directives.find(name);
  if (at == std::string::npos) return;
  kernel_.has_clocks = true;
  at += name.size();
  for (uint32_t& size : kernel_.cluster) {
    const size_t number = directives.find_first_not_of(", ", at);
    if (number == std::string::npos || !std::isdigit(static_cast<unsigned char>(directives[number]))) break;
    size = static_cast<uint32_t>(std::atoi(directives.c_str() + number));
    at = directives.find_first_not_of("0123456789", number);
    if (at == std::string::npos) break;
  }
}

// bar.sync 0, bar.sync 1, 128, bar.arrive 1, 128, barrier.cluster.arrive
void KernelReader::read_barrier(Draft& d) {
  Instruction& i = d.instruction;
  if (d.op.at(1) == "cluster") {
    kernel_.has_clocks = true;
    const bool waits = d.op.at(2) == "wait";
    if (!waits && d.op[2] != "arrive") fail("unsupported instruction: " + d.text);
    if (waits) i.flow = Flow::poll;
    i.run = waits ? wait_for_cluster : arrive_at_cluster;
    i.flag = !is_relaxed(d.text);
    return;
  }
  const bool arrives = d.op[1] == "arrive";
  if ((!arrives && d.op[1] != "sync") || d.args.empty() || d.args.size() > 2 ||
      (arrives && d.args.size() < 2)) {
    fail("unsupported instruction: " + d.text);
  }
  i.flow = Flow::barrier;
  i.flag = arrives;
  for (const std::string& arg : d.args) d.operands.src.push_back(value(arg, false));
  if (arrives || d.args.size() > 1 || d.args[0] != "0") kernel_.has_clocks = true;
}

void KernelReader::read_fence(Draft& d) {
  Instruction& i = d.instruction;
  i.kind = Kind::memory;
  if (d.has("proxy")) {
    if (!d.has("async") || d.has("global")) fail("unsupported instruction: " + d.text);
    i.run = fence_proxy;
    return;
  }
  if (d.has("mbarrier_init")) {
    kernel_.has_clocks = true;
    i.run = fence_mbarrier_inits;
    return;
  }
  if (!fences_all_blocks(d.text)) fail("only fences for the whole device are known: " + d.text);
  i.run = fence;
}

// mbarrier.arrive.release.cluster.shared::cluster.b64 _, [address], count
void KernelReader::read_mbarrier(Draft& d) {
  Instruction& i = d.instruction;
  i.kind = Kind::memory;
  kernel_.has_clocks = true;
  if (d.has("cluster")) i.variant |= MbarrierUse::for_cluster;
  if (is_relaxed(d.text)) i.variant |= MbarrierUse::is_relaxed;
  if (d.has("shared::cluster")) i.variant |= MbarrierUse::in_cluster;
  const std::string& what = d.op.at(1);
  if (what == "init" || what == "inval") {
    i.run = what == "init" ? init_mbarrier : invalidate_mbarrier;
    address(d, d.args.at(0));
    if (what == "init") d.operands.src.push_back(value(d.args.at(1), false));
    return;
  }
  if (what == "test_wait" || what == "try_wait") return read_mbarrier_wait(d);
  const bool only_expects = what == "expect_tx";
  if ((!only_expects && what != "arrive") || d.has("noComplete")) fail("unsupported instruction: " + d.text);
  if (only_expects) i.variant |= MbarrierUse::only_expects;
  if (d.has("expect_tx")) i.variant |= MbarrierUse::expects;
  i.run = arrive_at_mbarrier;
  if (!only_expects && d.args.at(0) != "_") d.operands.dst = {value(d.args[0], true)};
  const size_t first = only_expects ? 0 : 1;
  address(d, d.args.at(first));
  i.flag = d.args.size() > first + 1;
  if (i.flag) d.operands.src.push_back(value(d.args[first + 1], false));
  if (!i.flag && d.has("expect_tx")) fail("unsupported instruction: " + d.text);
}

// mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p1, [address], parity, time
void KernelReader::read_mbarrier_wait(Draft& d) {
  Instruction& i = d.instruction;
  i.run = wait_for_mbarrier;
  i.flow = Flow::poll;
  i.predicate_dst = predicate(d.args.at(0));
  address(d, d.args.at(1));
  const bool by_parity = d.has("parity");
  if (!by_parity) i.variant |= MbarrierUse::by_state;
  d.operands.src.push_back(value(d.args.at(2), !by_parity));
}

// cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [to], [from], bytes,
// [mbarrier], blocks
void KernelReader::read_bulk_copy(Draft& d) {
  if (d.has("tensor")) return read_box_copy(d);
  Instruction& i = d.instruction;
  kernel_.has_clocks = true;
  i.flag = d.has("multicast::cluster");
  const bool is_own = d.has("shared::cta");
  std::vector<std::string> known = {"cp",     "async",
                                    "bulk",   is_own ? "shared::cta" : "shared::cluster",
                                    "global", "mbarrier::complete_tx::bytes"};
  if (i.flag) known.push_back("multicast::cluster");
  const size_t operands = i.flag ? 5 : 4;
  if (d.op != known || d.args.size() != operands) fail("unsupported instruction: " + d.text);
  i.run = copy_bulk;
  address(d, d.args[0]);
  d.operands.src.push_back(value(inside(d.args[1]), true));
  d.operands.src.push_back(value(d.args[2], false));
  d.operands.src.push_back(value(inside(d.args[3]), false));
  if (i.flag) d.operands.src.push_back(value(d.args[4], false));
}

// cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [to], [map, {column,
// row}], [mbarrier]; of patches 4d, im2col, four coordinates, and {right, down} behind the mbarrier
void KernelReader::read_box_copy(Draft& d) {
  Instruction& i = d.instruction;
  kernel_.has_clocks = true;
  i.flag = d.has("im2col");
  i.count = i.flag ? 4 : 2;
  const std::vector<std::string> known = {"cp",
                                          "async",
                                          "bulk",
                                          "tensor",
                                          i.flag ? "4d" : "2d",
                                          "shared::cluster",
                                          "global",
                                          i.flag ? "im2col" : "tile",
                                          "mbarrier::complete_tx::bytes"};
  const size_t operands = i.flag ? 4 : 3;
  if (d.op != known || d.args.size() != operands) fail("unsupported instruction: " + d.text);
  i.run = copy_box;
  address(d, d.args[0]);
  const std::vector<std::string> tensor = split_operands(inside(d.args[1]));
  if (tensor.size() != 2) fail("unsupported instruction: " + d.text);
  d.operands.src.push_back(value(tensor[0], true));
  d.operands.src.push_back(value(inside(d.args[2]), false));
  std::vector<std::string> places = split_operands(inside(tensor[1]));
  if (places.size() != i.count) fail("unsupported instruction: " + d.text);
  if (i.flag) {
    const std::vector<std::string> moved = split_operands(inside(d.args[3]));
    if (moved.size() != 2) fail("unsupported instruction: " + d.text);
    places.insert(places.end(), moved.begin(), moved.end());
  }
  for (const std::string& place : places) d.operands.src.push_back(value(place, false));
}

void KernelReader::read_of_cluster(Draft& d) {
  Instruction& i = d.instruction;
  i.kind = Kind::synchronize;
  if (d.op[0] == "elect") {
    const auto results = split(d.args.at(0), '|');
    if (results.size() != 2) fail("unsupported instruction: " + d.text);
    i.run = elect;
    d.operands.dst = {results[0] == "_" ? registers_.add(Registers::Width::word) : value(results[0], false)};
    i.predicate_dst = predicate(results[1]);
    d.operands.src = {value(d.args.at(1), false)};
  } else if (d.op[0] == "setmaxnreg") {
    i.run = set_register_count;
    i.immediate = std::atoi(d.args.at(0).c_str());
  } else {
    if (!d.has("shared::cluster") || d.op.back() != "u32") fail("unsupported instruction: " + d.text);
    i.kind = Kind::integer;
    kernel_.has_clocks = true;
    i.run = map_address;
    d.operands.dst = {value(d.args.at(0), false)};
    d.operands.src = {value(d.args.at(1), false), value(d.args.at(2), false)};
  }
}

}  // namespace tintype::ptx
