#include "memory.h"

#include <iomanip>
#include <new>
#include <string>

#include "errors.h"
#include "machine.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <sys/mman.h>
#endif

namespace tintype {

namespace {

// Large blocks come straight from the system and go straight back to it, so that a disposed model does not
// linger in the heap. A sanitizer sees overruns only in its own heap.
#if defined(TINTYPE_SANITIZE)
constexpr size_t smallest_mapping = SIZE_MAX;
#else
constexpr size_t smallest_mapping = size_t{256} << 10;
#endif

[[maybe_unused]] constexpr size_t huge_page = size_t{2} << 20;

void* map(size_t bytes) {
#if defined(_WIN32)
  return VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
#else
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return nullptr;
#if defined(MADV_HUGEPAGE)
  // A matrix has its rows in as many pages, more than the TLB holds. That the system has no huge pages is no
  // error.
  if (bytes >= huge_page) madvise(data, bytes, MADV_HUGEPAGE);
#endif
  return data;
#endif
}

void unmap(void* data, [[maybe_unused]] size_t bytes) {
#if defined(_WIN32)
  VirtualFree(data, 0, MEM_RELEASE);
#else
  munmap(data, bytes);
#endif
}

std::string readable(uint64_t bytes) {
  const bool large = bytes >= uint64_t{1} << 30;
  return text(std::fixed, std::setprecision(1), static_cast<double>(bytes) / (large ? 1 << 30 : 1 << 20),
              large ? " GiB" : " MiB");
}

[[noreturn]] void fail(uint64_t bytes, uint64_t available, const char* purpose) {
  throw Error(code::out_of_memory, purpose, " needs ", readable(bytes), " of memory, ", readable(available),
              " are available",
              bytes <= available ? ", but the system or a limit of the process (ulimit -v) refused it" : "");
}

}  // namespace

void require_memory(uint64_t bytes, const char* purpose) {
  if (bytes < smallest_mapping) return;
  const uint64_t available = available_memory();
  if (bytes > available) fail(bytes, available, purpose);
}

Block::Block(size_t bytes, const char* purpose) : size_(bytes) {
  if (bytes == 0) return;
  require_memory(bytes, purpose);
  data_ = static_cast<char*>(bytes >= smallest_mapping
                                 ? map(bytes)
                                 : ::operator new(bytes, std::align_val_t{alignment}, std::nothrow));
  if (data_ == nullptr) fail(bytes, available_memory(), purpose);
}

Block::~Block() {
  if (size_ >= smallest_mapping) {
    unmap(data_, size_);
  } else {
    ::operator delete(data_, std::align_val_t{alignment});
  }
}

}  // namespace tintype
