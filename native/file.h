// A file that is read at given positions, by any thread.
#pragma once
#include <cstdint>
#include <string>

namespace tintype {

class File {
 public:
  explicit File(std::string path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }

  // Reads exactly that many bytes. Positional reads, not a mapping: a mapped file that somebody truncates
  // kills the process with SIGBUS, and its pages would count a second time beside the packed weights.
  void read(void* data, uint64_t bytes, uint64_t offset) const;

 private:
  std::string path_;
  uint64_t size_ = 0;
#if defined(_WIN32)
  void* handle_ = nullptr;
#else
  int descriptor_ = -1;
#endif
};

}  // namespace tintype
