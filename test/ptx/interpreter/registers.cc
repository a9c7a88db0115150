#include "registers.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "interpreter.h"
#include "liveness.h"
#include "statements.h"

namespace tintype::ptx {

namespace {

uint32_t row_bytes(Registers::Width width) {
  return lanes * (width == Registers::Width::wide ? 8 : 4);
}

}  // namespace

int Registers::add(Width width) {
  registers_.push_back({width});
  return static_cast<int>(registers_.size()) - 1;
}

void Registers::declare(const std::string& directive) {
  const auto words = split(directive, ' ');
  const std::string& type = words.at(1);
  const bool wide = type.size() > 2 && type.substr(2) == "64";
  const Width width = type == ".pred" ? Width::predicate : wide ? Width::wide : Width::word;
  std::string names;
  for (size_t i = 2; i < words.size(); i++) names += words[i];
  for (const std::string& name : split_operands(names)) {
    const size_t bracket = name.find('<');
    if (bracket == std::string::npos) {
      scopes_.back()[name] = add(width);
      continue;
    }
    const int count = std::atoi(name.c_str() + bracket + 1);
    for (int i = 0; i < count; i++) scopes_.back()[name.substr(0, bracket) + std::to_string(i)] = add(width);
  }
}

int Registers::find(const std::string& name) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto found = scope->find(name); found != scope->end()) return found->second;
  }
  return -1;
}

int Registers::constant(uint64_t value, bool wide) {
  if (!wide) value &= 0xffffffff;
  const auto [found, added] = constants_.try_emplace({value, wide}, 0);
  if (added) found->second = add(wide ? Width::wide : Width::word);
  return found->second;
}

int Registers::special(const std::string& name) {
  static const std::map<std::string, Special> known = {{"%tid.x", Special::tid},
                                                       {"%ntid.x", Special::ntid},
                                                       {"%ctaid.x", Special::ctaid_x},
                                                       {"%ctaid.y", Special::ctaid_y},
                                                       {"%ctaid.z", Special::ctaid_z},
                                                       {"%nctaid.x", Special::nctaid_x},
                                                       {"%nctaid.y", Special::nctaid_y},
                                                       {"%nctaid.z", Special::nctaid_z},
                                                       {"%laneid", Special::laneid},
                                                       {"%cluster_ctarank", Special::cluster_ctarank},
                                                       {"%cluster_nctarank", Special::cluster_nctarank},
                                                       {"%cluster_ctaid.x", Special::cluster_ctaid_x},
                                                       {"%clusterid.x", Special::clusterid_x}};
  const auto which = known.find(name);
  if (which == known.end()) return -1;
  const auto [found, added] = specials_.try_emplace(which->second, 0);
  if (added) found->second = add(Width::word);
  return found->second;
}

// Linear scan: a row is free again after the last instruction that may read it.
uint32_t Registers::place_rows(Width width, uint32_t base) {
  std::set<int> fixed;
  for (const auto& [value, id] : constants_) fixed.insert(id);
  for (const auto& [which, id] : specials_) fixed.insert(id);
  std::vector<Register*> order;
  for (size_t i = 0; i < registers_.size(); i++) {
    Register& r = registers_[i];
    if (r.width == width && r.last >= 0 && !fixed.count(static_cast<int>(i))) order.push_back(&r);
  }
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->first < b->first; });
  std::multimap<int, uint32_t> active;
  std::vector<uint32_t> free_rows;
  uint32_t end = base;
  for (Register* r : order) {
    while (!active.empty() && active.begin()->first < r->first) {
      free_rows.push_back(active.begin()->second);
      active.erase(active.begin());
    }
    if (free_rows.empty()) {
      r->place = end;
      end += row_bytes(width);
    } else {
      r->place = free_rows.back();
      free_rows.pop_back();
    }
    active.insert({r->last, r->place});
  }
  for (const int id : fixed) {
    if (registers_[id].width != width) continue;
    registers_[id].place = end;
    end += row_bytes(width);
  }
  return end;
}

void Registers::place_predicates(Kernel& kernel) {
  int count = 0;
  for (Register& r : registers_) {
    if (r.width == Width::predicate) r.place = static_cast<uint32_t>(count++);
  }
  kernel.predicates = count;
  const auto place = [this](int& id) {
    if (id >= 0) id = static_cast<int>(registers_[id].place);
  };
  for (Instruction& i : kernel.code) {
    place(i.guard);
    place(i.predicate_dst);
    place(i.predicate_dst2);
    place(i.predicate_src);
    place(i.predicate_src2);
  }
}

void Registers::find_live_ranges(const Kernel& kernel, const std::vector<Operands>& operands) {
  const auto ranges = live_ranges(kernel.code, operands, registers_.size());
  for (size_t i = 0; i < registers_.size(); i++) {
    registers_[i].first = ranges[i].first;
    registers_[i].last = ranges[i].last;
  }
}

void Registers::place_accumulators(Kernel& kernel, const std::vector<Operands>& operands) {
  std::set<uint32_t> all;
  for (size_t i = 0; i < kernel.code.size(); i++) {
    if (operands[i].accumulators.empty()) continue;
    kernel.code[i].immediate = static_cast<int64_t>(kernel.accumulators.size());
    auto& rows = kernel.accumulators.emplace_back();
    for (const int id : operands[i].accumulators) rows.push_back(registers_[id].place);
    all.insert(rows.begin(), rows.end());
    for (const int id : operands[i].factors) all.insert(registers_[id].place);
  }
  for (Instruction& i : kernel.code) {
    const auto is_one = [&](uint32_t row) { return all.count(row) > 0; };
    i.touches_products =
        std::any_of(i.dst, i.dst + i.dst_count, is_one) || std::any_of(i.src, i.src + i.src_count, is_one);
  }
}

void Registers::allocate(Kernel& kernel, const std::vector<Operands>& operands) {
  find_live_ranges(kernel, operands);
  const uint32_t words = place_rows(Width::word, 0);
  kernel.register_bytes = place_rows(Width::wide, words);
  place_predicates(kernel);
  for (size_t i = 0; i < kernel.code.size(); i++) {
    const Operands& o = operands[i];
    if (o.dst.size() > std::size(kernel.code[i].dst) || o.src.size() > std::size(kernel.code[i].src)) {
      throw Fault(kernel.name + ": too many operands: " + kernel.text[i]);
    }
    for (size_t q = 0; q < o.dst.size(); q++) kernel.code[i].dst[q] = registers_[o.dst[q]].place;
    for (size_t q = 0; q < o.src.size(); q++) kernel.code[i].src[q] = registers_[o.src[q]].place;
    kernel.code[i].dst_count = static_cast<uint8_t>(o.dst.size());
    kernel.code[i].src_count = static_cast<uint8_t>(o.src.size());
  }
  place_accumulators(kernel, operands);
  for (const auto& [value, id] : constants_) {
    kernel.constants.push_back({registers_[id].place, value.second, value.first});
  }
  for (const auto& [which, id] : specials_) kernel.specials.push_back({registers_[id].place, which});
}

}  // namespace tintype::ptx
