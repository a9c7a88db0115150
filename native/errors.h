// What native code throws. addon.cc turns it into a JavaScript error with the same code (lib/errors.ts).
#pragma once
#include <sstream>
#include <stdexcept>
#include <string>

namespace tintype {

namespace code {
inline constexpr const char* aborted = "ABORTED";
inline constexpr const char* device_lost = "DEVICE_LOST";
inline constexpr const char* device_unavailable = "DEVICE_UNAVAILABLE";
inline constexpr const char* disposed = "DISPOSED";
inline constexpr const char* internal = "INTERNAL";
inline constexpr const char* invalid_argument = "INVALID_ARGUMENT";
inline constexpr const char* invalid_weights = "INVALID_WEIGHTS";
inline constexpr const char* io = "IO";
inline constexpr const char* model_not_found = "MODEL_NOT_FOUND";
inline constexpr const char* out_of_memory = "OUT_OF_MEMORY";
}  // namespace code

template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

struct Error : std::runtime_error {
  const char* code;
  template <class... Parts>
  explicit Error(const char* error_code, const Parts&... message)
      : std::runtime_error(text(message...)), code(error_code) {}
};

}  // namespace tintype
