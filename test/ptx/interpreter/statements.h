// PTX text cut into statements; what they mean is not known here.
#pragma once
#include <string>
#include <vector>

namespace tintype::ptx {

struct Statement {
  enum class Type { open, close, label, other };
  Type type;
  std::string text;  // without the semicolon or colon
  int line;
};

std::vector<Statement> split_statements(const std::string& source);

// "{a, b}, [c+4], d" to its operands, without spaces.
std::vector<std::string> split_operands(const std::string& text);
std::vector<std::string> split(const std::string& text, char separator);

}  // namespace tintype::ptx
