// A PTX text as its kernels.
#include <map>

#include "interpreter.h"
#include "reader.h"

namespace tintype::ptx {

struct Module::Parts {
  std::map<std::string, Kernel> kernels;
};

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
    } else if (s.text.find(".shared") != std::string::npos) {
      // .extern .shared .align 128 .b8 name[]: what a launch adds to the kernel's own. Kernels that have both
      // kinds would need them one behind the other; ours have one.
      if (s.text.find(".extern") == std::string::npos)
        throw Fault("shared variable outside of kernels: " + s.text);
      const size_t bracket = s.text.find('['), name = s.text.rfind(' ', bracket) + 1;
      symbols[s.text.substr(name, bracket - name)] = 0;
    }
  }
}

const Kernel* Module::find(const std::string& name) const {
  const auto found = parts_->kernels.find(name);
  return found == parts_->kernels.end() ? nullptr : &found->second;
}

}  // namespace tintype::ptx
