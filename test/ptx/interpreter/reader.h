// Makes a Kernel of the statements of a PTX entry.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "program.h"
#include "registers.h"
#include "statements.h"

namespace tintype::ptx {

class KernelReader {
 public:
  // `entry` is ".visible .entry name(.param ...)"; `symbols` are the shared variables of the module.
  KernelReader(const std::string& entry, std::map<std::string, int64_t> symbols);

  void read(const Statement& statement);
  Kernel finish();

 private:
  // What is made of one instruction before it is in the kernel.
  struct Draft {
    Instruction instruction;
    Operands operands;
    std::string text;
    std::vector<std::string> op;    // "ld.global.v4.u32" in parts, without those that make no difference here
    std::vector<std::string> args;  // operands as written
    bool has(const char* part) const;
  };

  void read_params(const std::string& list);
  void read_cluster(const std::string& directives);
  void read_directive(const std::string& text);
  void read_instruction(std::string text);
  void read_operation(Draft& d);
  void read_load_or_store(Draft& d);
  void read_atomic(Draft& d);
  void read_copy(Draft& d);
  void read_matrix(Draft& d);
  void read_warpgroup(Draft& d);
  void read_shuffle(Draft& d);
  void read_comparison(Draft& d);
  void read_predicate_logic(Draft& d);
  void read_pack(Draft& d);
  void read_integer_conversion(Draft& d);
  void read_lanewise(Draft& d);
  // reader_synchronization.cc
  void read_barrier(Draft& d);
  void read_fence(Draft& d);
  void read_mbarrier(Draft& d);
  void read_mbarrier_wait(Draft& d);
  void read_bulk_copy(Draft& d);
  void read_box_copy(Draft& d);
  void read_of_cluster(Draft& d);

  // Operands as written to virtual registers.
  int value(const std::string& operand, bool wide);
  int predicate(const std::string& operand);
  void address(Draft& d, const std::string& operand);
  [[noreturn]] void fail(const std::string& what) const;

  Kernel kernel_;
  Registers registers_;
  std::vector<Operands> operands_;
  std::map<std::string, int64_t> symbols_;
  // Scopes by number, the innermost last: each has its own labels.
  std::vector<int> scopes_ = {0};
  int last_scope_ = 0;
  std::map<std::pair<int, std::string>, int> labels_;
  struct Branch {
    size_t instruction;
    std::string label;
    std::vector<int> scopes;
  };
  std::vector<Branch> branches_;  // instructions whose targets are to be found
  int target(const Branch& branch) const;
  int line_ = 0;
};

}  // namespace tintype::ptx
