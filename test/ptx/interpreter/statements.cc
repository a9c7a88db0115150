#include "statements.h"

#include <cctype>
#include <sstream>

namespace tintype::ptx {

namespace {

bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

// A line that stands alone at the beginning of a text, without a semicolon.
bool is_header(const std::string& text) {
  for (const char* name : {".version", ".target", ".address_size", ".file"}) {
    if (text.rfind(name, 0) == 0) return true;
  }
  return false;
}

class Splitter {
 public:
  explicit Splitter(const std::string& source) : source_(source) {}

  std::vector<Statement> split() {
    while (at_ < source_.size()) step();
    return std::move(statements_);
  }

 private:
  void step() {
    const char c = source_[at_];
    if (c == '/' && source_.compare(at_, 2, "//") == 0) {
      at_ = source_.find('\n', at_);
      if (at_ == std::string::npos) at_ = source_.size();
      return;
    }
    at_++;
    if (c == '\n') {
      if (is_header(text_)) text_.clear();
      line_++;
    }
    if (text_.empty()) {
      if (is_space(c)) return;
      first_line_ = line_;
      if (c == '{') return push(Statement::Type::open);
      if (c == '}') return push(Statement::Type::close);
    }
    if (c == ';') return push(Statement::Type::other);
    // An entry ends where its body begins.
    if (c == '{' && text_.find(".entry") != std::string::npos) {
      push(Statement::Type::other);
      return push(Statement::Type::open);
    }
    if (c == ':' && source_[at_] != ':' && text_.back() != ':' &&
        text_.find_first_of(" [{(") == std::string::npos) {
      return push(Statement::Type::label);
    }
    text_ += is_space(c) ? ' ' : c;
  }

  void push(Statement::Type type) {
    while (!text_.empty() && text_.back() == ' ') text_.pop_back();
    statements_.push_back({type, std::move(text_), first_line_});
    text_.clear();
  }

  const std::string& source_;
  size_t at_ = 0;
  int line_ = 1, first_line_ = 1;
  std::string text_;
  std::vector<Statement> statements_;
};

}  // namespace

std::vector<Statement> split_statements(const std::string& source) {
  return Splitter(source).split();
}

std::vector<std::string> split_operands(const std::string& text) {
  std::vector<std::string> operands;
  std::string operand;
  int depth = 0;
  for (const char c : text) {
    if (c == '{' || c == '[') depth++;
    if (c == '}' || c == ']') depth--;
    if (c == ',' && depth == 0) {
      operands.push_back(std::move(operand));
      operand.clear();
    } else if (!is_space(c)) {
      operand += c;
    }
  }
  if (!operand.empty()) operands.push_back(std::move(operand));
  return operands;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

}  // namespace tintype::ptx
