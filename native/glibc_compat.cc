// What the static libstdc++ and libgcc of GCC 12 want from a glibc newer than the one that the prebuilt
// binaries are linked against (TINTYPE_GLIBC_SYSROOT). Not part of any other build.
#include <dlfcn.h>
#include <link.h>

#include <cstring>

extern "C" {
// glibc 2.32: libstdc++ does without atomics while this is true, and nobody here would ever clear it.
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
// glibc 2.35: the unwinder of GCC 12 finds the tables of a frame with it and knows no other way; to answer
// "none" would make every throw an abort.
__attribute__((visibility("hidden"))) int _dl_find_object(void* pc, struct dl_find_object* result) noexcept;
}

namespace {

struct Search {
  ElfW(Addr) pc;
  dl_find_object* result;
};

constexpr int keep_looking = 0, without_tables = 1, found = 2;

int visit(dl_phdr_info* object, size_t, void* data) {
  const Search& search = *static_cast<Search*>(data);
  void *start = nullptr, *end = nullptr, *tables = nullptr;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr)& header = object->dlpi_phdr[i];
    const ElfW(Addr) address = object->dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD && search.pc >= address && search.pc < address + header.p_memsz) {
      start = reinterpret_cast<void*>(address);
      end = reinterpret_cast<void*>(address + header.p_memsz);
    }
    if (header.p_type == PT_GNU_EH_FRAME) tables = reinterpret_cast<void*>(address);
  }
  if (!start) return keep_looking;
  if (!tables) return without_tables;
  std::memset(search.result, 0, sizeof *search.result);
  search.result->dlfo_map_start = start;
  search.result->dlfo_map_end = end;
  search.result->dlfo_eh_frame = tables;
  return found;
}

}  // namespace

int _dl_find_object(void* pc, struct dl_find_object* result) noexcept {
  Search search{reinterpret_cast<ElfW(Addr)>(pc), result};
  return dl_iterate_phdr(visit, &search) == found ? 0 : -1;
}
