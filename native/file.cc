#include "file.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "errors.h"

#if defined(_WIN32)
#include <windows.h>

#include <filesystem>
#else
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace tintype {

namespace {

// Linux transfers at most 2 GiB - 4 KiB in one call.
constexpr uint64_t largest_read = uint64_t{1} << 30;

std::string last_problem() {
#if defined(_WIN32)
  return std::system_category().message(static_cast<int>(GetLastError()));
#else
  return std::generic_category().message(errno);
#endif
}

}  // namespace

#if defined(_WIN32)

File::File(std::string path) : path_(std::move(path)) {
  const std::filesystem::path wide(std::u8string(path_.begin(), path_.end()));
  handle_ = CreateFileW(wide.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                        nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle_ == INVALID_HANDLE_VALUE) {
    throw Error(code::model_not_found, path_, " cannot be opened: ", last_problem(), ".");
  }
  LARGE_INTEGER size;
  if (!GetFileSizeEx(handle_, &size)) {
    const std::string problem = last_problem();
    CloseHandle(handle_);
    throw Error(code::model_not_found, path_, " is no regular file: ", problem, ".");
  }
  size_ = static_cast<uint64_t>(size.QuadPart);
}

File::~File() {
  CloseHandle(handle_);
}

static int64_t read_some(void* handle, void* data, uint64_t bytes, uint64_t offset) {
  OVERLAPPED position{};
  position.Offset = static_cast<DWORD>(offset);
  position.OffsetHigh = static_cast<DWORD>(offset >> 32);
  DWORD got = 0;
  if (ReadFile(handle, data, static_cast<DWORD>(bytes), &got, &position)) return got;
  return GetLastError() == ERROR_HANDLE_EOF ? 0 : -1;
}

#else

File::File(std::string path) : path_(std::move(path)) {
  // O_NONBLOCK: opening a pipe would wait for its writer.
  descriptor_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    throw Error(code::model_not_found, path_, " cannot be opened: ", last_problem(), ".");
  }
  struct stat status;
  if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor_);
    throw Error(code::model_not_found, path_, " is no regular file.");
  }
  size_ = static_cast<uint64_t>(status.st_size);
}

File::~File() {
  close(descriptor_);
}

static int64_t read_some(int descriptor, void* data, uint64_t bytes, uint64_t offset) {
  for (;;) {
    const ssize_t got = pread(descriptor, data, bytes, static_cast<off_t>(offset));
    if (got >= 0 || errno != EINTR) return got;
  }
}

#endif

void File::read(void* data, uint64_t bytes, uint64_t offset) const {
#if defined(_WIN32)
  const auto handle = handle_;
#else
  const auto handle = descriptor_;
#endif
  for (uint64_t done = 0; done < bytes;) {
    const int64_t got = read_some(handle, static_cast<char*>(data) + done,
                                  std::min(bytes - done, largest_read), offset + done);
    if (got < 0) throw Error(code::io, path_, " cannot be read: ", last_problem(), ".");
    if (got == 0) {
      throw Error(code::invalid_weights, path_, " has become shorter: it ends at byte ", offset + done, ", ",
                  bytes - done, " bytes before the end of a tensor. Was it replaced while it was in use?");
    }
    done += static_cast<uint64_t>(got);
  }
}

}  // namespace tintype
