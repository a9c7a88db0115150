// A PTX text as its kernels.
#include <map>

#include "interpreter.h"
#include "reader.h"

namespace tintype::ptx {

struct Module::Parts {
  std::map<std::string, Kernel> kernels;
  size_t variable_bytes = 0;
};

namespace {

// .global .align 4 .b8 name[4096] or .global .align 4 .u32 name
void read_variable(const std::string& text, size_t& end, std::map<std::string, int64_t>& symbols) {
  const size_t bracket = text.find('['), align_at = text.find(".align");
  const bool is_word = bracket == std::string::npos && text.find(".u32") != std::string::npos;
  if ((bracket == std::string::npos && !is_word) || align_at == std::string::npos ||
      text.find('=') != std::string::npos) {
    throw Fault("unsupported variable: " + text);
  }
  const size_t name = text.rfind(' ', bracket) + 1;
  const size_t align = std::stoul(text.substr(align_at + 7));
  const size_t bytes = is_word ? 4 : std::stoul(text.substr(bracket + 1));
  end = (end + align - 1) / align * align;
  symbols[text.substr(name, bracket - name)] = static_cast<int64_t>(variable_window + end);
  end += bytes;
}

}  // namespace

Module::~Module() = default;
Module::Module(Module&&) noexcept = default;

Module::Module(const std::string& text) : parts_(std::make_unique<Parts>()) {
  std::map<std::string, int64_t> symbols;
  std::unique_ptr<KernelReader> reader;
  int depth = 0;
  for (const Statement& s : split_statements(text)) {
    if (reader) {
      depth += s.type == Statement::Type::open ? 1 : s.type == Statement::Type::close ? -1 : 0;
      if (depth > 0) {
        // The brace that opens the kernel opens the scope that its reader began with.
        if (s.type != Statement::Type::open || depth > 1) reader->read(s);
        continue;
      }
      Kernel kernel = reader->finish();
      parts_->kernels.emplace(kernel.name, std::move(kernel));
      reader.reset();
    } else if (s.text.find(".entry") != std::string::npos) {
      reader = std::make_unique<KernelReader>(s.text, symbols);
    } else if (s.text.find(".global") != std::string::npos) {
      read_variable(s.text, parts_->variable_bytes, symbols);
    } else if (s.text.find(".shared") != std::string::npos) {
      // .extern .shared .align 128 .b8 name[]: what a launch adds to the kernel's own. Kernels that have both
      // kinds would need them one behind the other; ours have one.
      if (s.text.find(".extern") == std::string::npos)
        throw Fault("shared variable outside of kernels: " + s.text);
      const size_t bracket = s.text.find('['), name = s.text.rfind(' ', bracket) + 1;
      symbols[s.text.substr(name, bracket - name)] = 0;
    }
  }
  for (auto& [name, kernel] : parts_->kernels) {
    kernel.module = parts_.get();
    kernel.variable_bytes = parts_->variable_bytes;
  }
}

const Kernel* Module::find(const std::string& name) const {
  const auto found = parts_->kernels.find(name);
  return found == parts_->kernels.end() ? nullptr : &found->second;
}

}  // namespace tintype::ptx
