#include "reader.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "instruction_set.h"
#include "interpreter.h"
#include "warpgroups.h"

namespace tintype::ptx {

namespace {

// Parts of a name that change neither the result here nor what is checked.
bool makes_no_difference(const std::string& part) {
  static const char* const ignored[] = {
      "rn",  "ftz", "approx", "full", "aligned", "volatile",        "relaxed",
      "gpu", "cta", "sys",    "nc",   "weak",    "L1::no_allocate", "cg"};
  return std::find(std::begin(ignored), std::end(ignored), part) != std::end(ignored);
}

bool starts_with(const std::string& text, const char* prefix) {
  return text.rfind(prefix, 0) == 0;
}

bool is_number(const std::string& s) {
  return !s.empty() && (std::isdigit(static_cast<unsigned char>(s[0])) || (s[0] == '-' && s.size() > 1));
}

// 12, -3, 0x1f, 0f3F800000
uint64_t number(const std::string& s) {
  if (starts_with(s, "0f") || starts_with(s, "0F")) return std::strtoull(s.c_str() + 2, nullptr, 16);
  if (s[0] == '-') return static_cast<uint64_t>(std::strtoll(s.c_str(), nullptr, 0));
  return std::strtoull(s.c_str(), nullptr, 0);
}

// "{a,b}" to its members; anything else is its own only member.
std::vector<std::string> members(const std::string& s) {
  if (s[0] == '{') return split_operands(s.substr(1, s.size() - 2));
  return {s};
}

template <size_t N>
int index_of(const std::string& name, const char* const (&names)[N]) {
  const auto found = std::find(std::begin(names), std::end(names), name);
  return found == std::end(names) ? -1 : static_cast<int>(found - std::begin(names));
}

int bytes_of(const std::string& type) {
  return std::atoi(type.c_str() + 1) / 8;
}
bool is_integer(const std::string& type) {
  return type[0] == 's' || type[0] == 'u';
}

}  // namespace

bool KernelReader::Draft::has(const char* part) const {
  return std::find(op.begin(), op.end(), part) != op.end();
}

void KernelReader::fail(const std::string& what) const {
  throw Fault(kernel_.name + ", line " + std::to_string(line_) + ": " + what);
}

KernelReader::KernelReader(const std::string& entry, std::map<std::string, int64_t> symbols)
    : symbols_(std::move(symbols)) {
  const size_t name = entry.find(".entry") + 6, open = entry.find('('), close = entry.find(')');
  for (size_t i = name; i < open; i++) {
    if (entry[i] != ' ') kernel_.name += entry[i];
  }
  registers_.open_scope();
  read_params(entry.substr(open + 1, close - open - 1));
  read_cluster(entry.substr(close));
}

void KernelReader::read_params(const std::string& list) {
  size_t end = 0;
  for (const std::string& param : split_operands(list)) {  // .param.align8.b8name[72] or .param.u64name
    const size_t align_at = param.find(".align"), bracket = param.find('[');
    const size_t name_at = param.find(kernel_.name + "_param_");
    size_t bytes, align;
    if (bracket != std::string::npos) {
      bytes = number(param.substr(bracket + 1));
      align = align_at == std::string::npos ? 1 : number(param.substr(align_at + 6));
    } else {
      bytes = align = number(param.substr(param.find_first_of("0123456789"))) / 8;
    }
    end = (end + align - 1) / align * align;
    symbols_[param.substr(name_at, bracket == std::string::npos ? bracket : bracket - name_at)] =
        static_cast<int64_t>(end);
    end += bytes;
  }
  kernel_.param_bytes = end;
}

void KernelReader::read(const Statement& statement) {
  line_ = statement.line;
  switch (statement.type) {
    case Statement::Type::open:
      scopes_.push_back(++last_scope_);
      return registers_.open_scope();
    case Statement::Type::close:
      scopes_.pop_back();
      return registers_.close_scope();
    case Statement::Type::label:
      labels_[{scopes_.back(), statement.text}] = static_cast<int>(kernel_.code.size());
      return;
    case Statement::Type::other:
      if (statement.text[0] == '.') return read_directive(statement.text);
      return read_instruction(statement.text);
  }
}

void KernelReader::read_directive(const std::string& text) {
  if (starts_with(text, ".reg")) return registers_.declare(text);
  if (starts_with(text, ".pragma") || starts_with(text, ".loc")) return;
  if (!starts_with(text, ".shared")) fail("unsupported directive: " + text);
  // .shared .align 16 .b8 name[4096]
  const size_t bracket = text.find('['), name_at = text.rfind(' ', bracket) + 1,
               align_at = text.find(".align");
  if (bracket == std::string::npos || align_at == std::string::npos) fail("unsupported variable: " + text);
  const size_t align = number(text.substr(align_at + 7)), bytes = number(text.substr(bracket + 1));
  size_t& end = kernel_.static_shared_bytes;
  end = (end + align - 1) / align * align;
  symbols_[text.substr(name_at, bracket - name_at)] = static_cast<int64_t>(end);
  end += bytes;
}

int KernelReader::value(const std::string& operand, bool wide) {
  const int id = registers_.find(operand);
  if (id >= 0) {
    const auto expected = wide ? Registers::Width::wide : Registers::Width::word;
    if (registers_.width(id) != expected) fail(operand + " is of another width");
    return id;
  }
  if (is_number(operand)) return registers_.constant(number(operand), wide);
  if (const int special = registers_.special(operand); special >= 0) return special;
  if (const auto symbol = symbols_.find(operand); symbol != symbols_.end()) {
    return registers_.constant(static_cast<uint64_t>(symbol->second), wide);
  }
  fail("unknown operand " + operand);
}

int KernelReader::predicate(const std::string& operand) {
  const int id = registers_.find(operand);
  if (id < 0 || registers_.width(id) != Registers::Width::predicate) fail(operand + " is no predicate");
  return id;
}

// [base+offset], the base a register or a variable
void KernelReader::address(Draft& d, const std::string& operand) {
  std::string base = operand.substr(1, operand.size() - 2);
  Instruction& i = d.instruction;
  if (const size_t sign = base.find_last_of("+-"); sign != std::string::npos && sign > 0) {
    i.immediate = static_cast<int64_t>(number(base.substr(base[sign] == '+' ? sign + 1 : sign)));
    base = base.substr(0, sign);
    if (base.back() == '+') base.pop_back();
  }
  const int id = registers_.find(base);
  if (id >= 0) {
    i.wide = registers_.width(id) == Registers::Width::wide;
    d.operands.src.push_back(id);
    return;
  }
  const auto symbol = symbols_.find(base);
  if (symbol == symbols_.end()) fail("unknown symbol " + base);
  i.immediate += symbol->second;
  i.wide = true;
  d.operands.src.push_back(registers_.constant(0, true));
}

void KernelReader::read_instruction(std::string text) {
  Draft d;
  d.text = text;
  d.instruction.line = line_;
  if (text[0] == '@') {
    const size_t end = text.find(' ');
    d.instruction.guard_negated = text[1] == '!';
    d.instruction.guard = predicate(
        text.substr(d.instruction.guard_negated ? 2 : 1, end - (d.instruction.guard_negated ? 2 : 1)));
    text = text.substr(text.find_first_not_of(' ', end));
  }
  const size_t end = text.find(' ');
  for (const std::string& part : split(text.substr(0, end), '.')) {
    if (!makes_no_difference(part)) d.op.push_back(part);
  }
  if (end != std::string::npos) d.args = split_operands(text.substr(end));
  read_operation(d);
  kernel_.code.push_back(d.instruction);
  kernel_.text.push_back(d.text);
  operands_.push_back(d.operands);
}

void KernelReader::read_operation(Draft& d) {
  const std::string& name = d.op[0];
  Instruction& i = d.instruction;
  if (name == "bra") {
    i.flow = Flow::branch;
    branches_.push_back({kernel_.code.size(), d.args.at(0), scopes_});
    return;
  }
  if (name == "ret" || name == "exit") {
    i.flow = Flow::leave;
    return;
  }
  if (name == "trap") {
    i.run = trap;
    return;
  }
  if (name == "bar" || name == "barrier") {
    i.kind = Kind::synchronize;
    if (!d.has("warp")) return read_barrier(d);
    i.run = sync_warp;
    return;
  }
  if (name == "membar" || name == "fence") return read_fence(d);
  if (name == "mbarrier") return read_mbarrier(d);
  if (name == "mapa" || name == "elect" || name == "setmaxnreg") return read_of_cluster(d);
  if (name == "ld" || name == "st") return read_load_or_store(d);
  if (name == "atom" || name == "red") return read_atomic(d);
  if (name == "cp") return read_copy(d);
  if (name == "ldmatrix" || name == "mma") return read_matrix(d);
  if (name == "wgmma") return read_warpgroup(d);
  if (name == "shfl") return read_shuffle(d);
  if (name == "setp") return read_comparison(d);
  if (d.op.back() == "pred") return read_predicate_logic(d);
  if (name == "vote") {
    if (!d.has("ballot")) fail("unsupported instruction: " + d.text);
    i.kind = Kind::synchronize;
    i.run = ballot;
    d.operands.dst = {value(d.args.at(0), false)};
    i.predicate_src = predicate(d.args.at(1));
    return;
  }
  if (name == "selp") {
    const bool wide = bytes_of(d.op.back()) == 8;
    i.kind = Kind::integer;
    i.run = wide ? select64 : select32;
    d.operands.dst = {value(d.args.at(0), wide)};
    d.operands.src = {value(d.args.at(1), wide), value(d.args.at(2), wide)};
    i.predicate_src = predicate(d.args.at(3));
    return;
  }
  if (name == "mov" && (d.args.at(0)[0] == '{' || d.args.at(1)[0] == '{')) return read_pack(d);
  if (name == "cvt" && d.op.size() == 3 && is_integer(d.op[1]) && is_integer(d.op[2])) {
    return read_integer_conversion(d);
  }
  read_lanewise(d);
}

void KernelReader::read_load_or_store(Draft& d) {
  Instruction& i = d.instruction;
  const bool is_load = d.op[0] == "ld";
  i.kind = Kind::memory;
  i.run = is_load ? load : store;
  for (size_t part = 1; part + 1 < d.op.size(); part++) {
    const std::string& p = d.op[part];
    if (p == "global") {
      i.space = Space::global;
    } else if (starts_with(p, "shared")) {
      i.space = Space::shared;
    } else if (starts_with(p, "param")) {
      i.space = Space::param;
    } else if (p == "v2" || p == "v4") {
      i.count = static_cast<uint8_t>(p[1] - '0');
    } else {
      fail("unsupported instruction: " + d.text);
    }
  }
  i.is_signed = d.op.back()[0] == 's';
  i.bytes = static_cast<uint8_t>(bytes_of(d.op.back()));
  address(d, d.args.at(is_load ? 1 : 0));
  const auto elements = members(d.args.at(is_load ? 0 : 1));
  if (elements.size() != i.count) fail("wrong number of elements: " + d.text);
  auto& list = is_load ? d.operands.dst : d.operands.src;
  const int first = registers_.find(elements[0]);
  i.flag = first < 0 ? i.bytes == 8 : registers_.width(first) == Registers::Width::wide;
  if (i.bytes == 8 && !i.flag) fail("register too narrow: " + d.text);
  for (const std::string& element : elements) list.push_back(value(element, i.flag));
}

void KernelReader::read_atomic(Draft& d) {
  Instruction& i = d.instruction;
  i.kind = Kind::memory;
  i.run = atomic;
  i.flag = d.op[0] == "atom";
  i.space = d.has("global") ? Space::global : d.has("shared") ? Space::shared : Space::generic;
  const std::string operation = d.op[d.op.size() - 2] + "." + d.op.back();
  if (operation == "add.f32") {
    i.variant = static_cast<uint8_t>(AtomicOp::add_f32);
  } else if (operation == "add.u32" || operation == "add.s32") {
    i.variant = static_cast<uint8_t>(AtomicOp::add_u32);
  } else if (operation == "inc.u32") {
    i.variant = static_cast<uint8_t>(AtomicOp::increment);
  } else if (operation == "max.u32") {
    i.variant = static_cast<uint8_t>(AtomicOp::max_u32);
  } else if (operation == "min.u32") {
    i.variant = static_cast<uint8_t>(AtomicOp::min_u32);
  } else if (operation == "exch.b32") {
    i.variant = static_cast<uint8_t>(AtomicOp::exchange);
  } else {
    fail("unsupported instruction: " + d.text);
  }
  if (i.flag) d.operands.dst = {value(d.args.at(0), false)};
  kernel_.has_atomics = kernel_.has_atomics || i.space != Space::shared;
  address(d, d.args.at(i.flag ? 1 : 0));
  d.operands.src.push_back(value(d.args.at(i.flag ? 2 : 1), false));
}

void KernelReader::read_copy(Draft& d) {
  Instruction& i = d.instruction;
  i.kind = Kind::memory;
  if (d.op.size() < 3 || d.op[1] != "async") fail("unsupported instruction: " + d.text);
  if (d.op[2] == "bulk") return read_bulk_copy(d);
  if (d.op[2] == "commit_group") {
    i.run = commit_copies;
  } else if (d.op[2] == "wait_group") {
    i.run = wait_for_copies;
    i.immediate = static_cast<int64_t>(number(d.args.at(0)));
  } else if (d.has("global")) {
    i.run = copy_async;
    address(d, d.args.at(0));
    const std::string source = d.args.at(1).substr(1, d.args[1].size() - 2);
    d.operands.src.push_back(value(source, true));
    i.bytes = static_cast<uint8_t>(number(d.args.at(2)));
    i.flag = d.args.size() > 3;
    if (i.flag) d.operands.src.push_back(value(d.args[3], false));
  } else {
    fail("unsupported instruction: " + d.text);
  }
}

void KernelReader::read_matrix(Draft& d) {
  Instruction& i = d.instruction;
  i.kind = Kind::matrix;
  for (const std::string& r : members(d.args.at(0))) d.operands.dst.push_back(value(r, false));
  if (d.op[0] == "ldmatrix") {
    i.run = load_matrices;
    i.flag = d.has("trans");
    i.count = static_cast<uint8_t>(d.operands.dst.size());
    return address(d, d.args.at(1));
  }
  const bool k16 = d.has("m16n8k16"), bf16 = d.has("bf16");
  const std::string& sums = d.op.back();
  const bool known = (k16 || d.has("m16n8k8")) && d.op[d.op.size() - 4] == sums &&
                     (sums == "f32" ? bf16 || d.has("f16") : sums == "f16" && !bf16);
  if (!known) fail("unsupported instruction: " + d.text);
  i.run = sums == "f16" ? multiply_matrices_in_f16(k16) : multiply_matrices(bf16, k16);
  for (size_t a = 1; a < d.args.size(); a++) {
    for (const std::string& r : members(d.args[a])) d.operands.src.push_back(value(r, false));
  }
}

// wgmma.mma_async.sync.m64n160k16.f32.f16.f16 {d}, a, b, 1, 1, 1, 0, 0: added to d, no signs changed, both
// along the depth; {d}, {a0, a1, a2, a3}, b, 1, 1, 1, 0 with A in registers, which are along the depth
// always.
void KernelReader::read_warpgroup(Draft& d) {
  Instruction& i = d.instruction;
  i.kind = Kind::synchronize;
  if (d.op.at(1) == "fence") {
    i.run = fence_warpgroup;
  } else if (d.op[1] == "commit_group") {
    i.run = commit_products;
  } else if (d.op[1] == "wait_group") {
    i.run = wait_for_products;
    i.immediate = static_cast<int64_t>(number(d.args.at(0)));
  } else {
    i.kind = Kind::matrix;
    const auto sums = members(d.args.at(0));
    const std::string shape = "m64n" + std::to_string(sums.size() * 2) + "k16";
    const bool bf16 = d.has("bf16");
    const std::vector<std::string> known = {
        "wgmma", "mma_async", "sync", shape, "f32", bf16 ? "bf16" : "f16", bf16 ? "bf16" : "f16"};
    const auto a = members(d.args.at(1));
    const std::string &added = d.args.at(3), &transposed = d.args.back();
    std::vector<std::string> options = {added, "1", "1"};
    if (a.size() == 1) options.push_back("0");
    options.push_back(transposed);
    const auto is_flag = [](const std::string& s) { return s == "0" || s == "1"; };
    const bool known_sizes = sums.size() % 4 == 0 && sums.size() <= 128 && (a.size() == 1 || a.size() == 4);
    if (d.op != known || !known_sizes || !is_flag(added) || !is_flag(transposed) ||
        std::vector<std::string>(d.args.begin() + 3, d.args.end()) != options) {
      fail("unsupported instruction: " + d.text);
    }
    i.run = multiply_warpgroup(bf16);
    if (added == "0") i.variant |= WarpgroupProduct::replaces;
    if (transposed == "1") i.variant |= WarpgroupProduct::transposed;
    if (a.size() > 1) i.variant |= WarpgroupProduct::of_registers;
    for (const std::string& sum : sums) d.operands.accumulators.push_back(value(sum, false));
    for (const std::string& part : a) d.operands.src.push_back(value(part, a.size() == 1));
    if (a.size() > 1) d.operands.factors = d.operands.src;
    d.operands.src.push_back(value(d.args[2], true));
  }
}

void KernelReader::read_shuffle(Draft& d) {
  static const char* const modes[] = {"bfly", "down", "up", "idx"};
  Instruction& i = d.instruction;
  i.kind = Kind::synchronize;
  i.run = shuffle;
  const int mode = index_of(d.op.at(2), modes);
  if (mode < 0) fail("unsupported instruction: " + d.text);
  i.variant = static_cast<uint8_t>(mode);
  const auto results = split(d.args.at(0), '|');
  d.operands.dst = {value(results[0], false)};
  if (results.size() > 1) i.predicate_dst = predicate(results[1]);
  for (size_t a = 1; a < 5; a++) d.operands.src.push_back(value(d.args.at(a), false));
}

void KernelReader::read_comparison(Draft& d) {
  static const char* const comparisons[] = {"eq",  "ne",  "lt",  "le",  "gt",  "ge",  "equ",
                                            "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};
  static const char* const unsigned_ones[] = {"", "", "lo", "ls", "hi", "hs"};
  static const char* const combinations[] = {"", "and", "or", "xor"};
  Instruction& i = d.instruction;
  i.kind = Kind::integer;
  const std::string& type = d.op.back();
  int comparison = index_of(d.op.at(1), comparisons);
  if (comparison < 0) comparison = index_of(d.op[1], unsigned_ones);
  i.run = compare(type);
  if (comparison < 0 || !i.run) fail("unsupported instruction: " + d.text);
  i.variant = static_cast<uint8_t>(comparison);
  i.count = static_cast<uint8_t>(d.op.size() == 4 ? index_of(d.op[2], combinations) : 0);
  const auto results = split(d.args.at(0), '|');
  i.predicate_dst = predicate(results[0]);
  if (results.size() > 1) i.predicate_dst2 = predicate(results[1]);
  const bool wide = bytes_of(type) == 8;
  d.operands.src = {value(d.args.at(1), wide), value(d.args.at(2), wide)};
  if (d.args.size() > 3) i.predicate_src = predicate(d.args[3]);
}

void KernelReader::read_predicate_logic(Draft& d) {
  static const char* const operations[] = {"and", "or", "xor", "not", "mov"};
  Instruction& i = d.instruction;
  const int operation = index_of(d.op[0], operations);
  if (operation < 0) fail("unsupported instruction: " + d.text);
  i.kind = Kind::integer;
  i.run = combine_predicates;
  i.variant = static_cast<uint8_t>(operation);
  i.predicate_dst = predicate(d.args.at(0));
  i.flag = is_number(d.args.at(1));
  if (i.flag) {
    i.immediate = number(d.args[1]) ? all_lanes : 0;
  } else {
    i.predicate_src = predicate(d.args[1]);
  }
  if (d.args.size() > 2) i.predicate_src2 = predicate(d.args[2]);
}

void KernelReader::read_pack(Draft& d) {
  Instruction& i = d.instruction;
  i.kind = Kind::move;
  const bool wide = bytes_of(d.op.back()) == 8;
  const auto to = members(d.args[0]), from = members(d.args[1]);
  if (from.size() == 2) {
    i.run = wide ? pack_words : pack_halves;
    d.operands.dst = {value(to[0], wide)};
    d.operands.src = {value(from[0], false), value(from[1], false)};
    return;
  }
  if (to.size() != 2) fail("unsupported instruction: " + d.text);
  i.run = wide ? unpack_words : unpack_halves;
  for (const std::string& part : to) {
    d.operands.dst.push_back(part == "_" ? registers_.add(Registers::Width::word) : value(part, false));
  }
  d.operands.src = {value(from[0], wide)};
}

void KernelReader::read_integer_conversion(Draft& d) {
  Instruction& i = d.instruction;
  i.kind = Kind::move;
  i.run = convert_integer;
  i.count = static_cast<uint8_t>(bytes_of(d.op[1]));
  i.bytes = static_cast<uint8_t>(bytes_of(d.op[2]));
  i.is_signed = d.op[2][0] == 's';
  // A register may be wider than the type that is read from it.
  const int from = registers_.find(d.args.at(1)), to = registers_.find(d.args.at(0));
  i.wide = from >= 0 ? registers_.width(from) == Registers::Width::wide : i.bytes == 8;
  d.operands.src = {value(d.args[1], i.wide)};
  const bool wide_dst = to >= 0 && registers_.width(to) == Registers::Width::wide;
  if (wide_dst != (i.count == 8)) fail("conversion into a register of another width: " + d.text);
  d.operands.dst = {value(d.args[0], wide_dst)};
}

void KernelReader::read_lanewise(Draft& d) {
  std::string name = d.op[0];
  for (size_t part = 1; part < d.op.size(); part++) name += "." + d.op[part];
  const auto found = lanewise_instructions().find(name);
  if (found == lanewise_instructions().end()) fail("unsupported instruction: " + d.text);
  const LanewiseInstruction& known = found->second;
  if (d.args.size() != known.wide_src.size() + 1) fail("wrong number of operands: " + d.text);
  d.instruction.run = known.run;
  d.instruction.kind = known.kind;
  d.operands.dst = {value(d.args[0], known.wide_dst)};
  for (size_t a = 0; a < known.wide_src.size(); a++) {
    d.operands.src.push_back(value(d.args[a + 1], known.wide_src[a]));
  }
}

int KernelReader::target(const Branch& branch) const {
  for (auto scope = branch.scopes.rbegin(); scope != branch.scopes.rend(); ++scope) {
    const auto found = labels_.find({*scope, branch.label});
    if (found != labels_.end() && found->second < static_cast<int>(kernel_.code.size())) return found->second;
  }
  fail("no instruction at label " + branch.label);
}

Kernel KernelReader::finish() {
  for (const Branch& branch : branches_) kernel_.code[branch.instruction].target = target(branch);
  registers_.allocate(kernel_, operands_);
  return std::move(kernel_);
}

}  // namespace tintype::ptx
