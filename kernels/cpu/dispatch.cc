#include "dispatch.h"

#include <cstdint>

#if defined(_MSC_VER) && defined(_M_X64)
#include <immintrin.h>
#include <intrin.h>
#elif defined(__x86_64__)
#include <cpuid.h>
#endif

namespace tintype {

#if defined(__x86_64__) || defined(_M_X64)

namespace baseline {
extern const CpuKernels kernels;
}
namespace avx2 {
extern const CpuKernels kernels;
}
namespace avx512 {
extern const CpuKernels kernels;
}

namespace {

struct Registers {
  uint32_t a, b, c, d;
};

// What compilers have for asking goes by names that not all of them know.
Registers cpuid(uint32_t leaf, uint32_t subleaf) {
#if defined(_MSC_VER)
  int r[4];
  __cpuidex(r, static_cast<int>(leaf), static_cast<int>(subleaf));
  return {static_cast<uint32_t>(r[0]), static_cast<uint32_t>(r[1]), static_cast<uint32_t>(r[2]),
          static_cast<uint32_t>(r[3])};
#else
  Registers r;
  __cpuid_count(leaf, subleaf, r.a, r.b, r.c, r.d);
  return r;
#endif
}

// Which registers the system saves when it switches threads (XCR0).
uint64_t saved_registers() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
#endif
}

struct Cpu {
  bool avx2 = false, avx512 = false, avx512bf16 = false;

  Cpu() {
    if (cpuid(0, 0).a < 7) return;
    const Registers basic = cpuid(1, 0), extended = cpuid(7, 0);
    const auto bit = [](uint32_t word, int index) { return (word >> index & 1) != 0; };
    if (!bit(basic.c, 27)) return;  // OSXSAVE: the system saves what it says that it saves
    const uint64_t saved = saved_registers();
    const bool fma = bit(basic.c, 12), f16c = bit(basic.c, 29), bmi2 = bit(extended.b, 8);
    avx2 = (saved & 0x6) == 0x6 && bit(extended.b, 5) && fma && f16c && bmi2;
    // The foundation and its extensions DQ, BW and VL.
    avx512 = avx2 && (saved & 0xe6) == 0xe6 && bit(extended.b, 16) && bit(extended.b, 17) &&
             bit(extended.b, 30) && bit(extended.b, 31);
    avx512bf16 = avx512 && extended.a >= 1 && bit(cpuid(7, 1).a, 5);
  }
};

}  // namespace

std::vector<const CpuKernels*> supported_kernels() {
  const Cpu cpu;
  std::vector<const CpuKernels*> result;
  if (cpu.avx512) result.push_back(&avx512::kernels);
  if (cpu.avx2) result.push_back(&avx2::kernels);
  result.push_back(&baseline::kernels);
  return result;
}

PairProducts pair_products(const CpuKernels& kernels) {
#if defined(_MSC_VER)
  static_cast<void>(kernels);
  return PairProducts::slow;  // no flag of this compiler asks for AVX512-BF16 (simd.h)
#else
  if (&kernels != &avx512::kernels) return PairProducts::slow;
  return Cpu().avx512bf16 ? PairProducts::fast : PairProducts::none;
#endif
}

#elif defined(__aarch64__) || defined(_M_ARM64)

namespace neon {
extern const CpuKernels kernels;
}

std::vector<const CpuKernels*> supported_kernels() {
  return {&neon::kernels};
}

PairProducts pair_products(const CpuKernels&) {
  return PairProducts::slow;
}

#else

namespace baseline {
extern const CpuKernels kernels;
}

std::vector<const CpuKernels*> supported_kernels() {
  return {&baseline::kernels};
}

PairProducts pair_products(const CpuKernels&) {
  return PairProducts::slow;
}

#endif

const CpuKernels* find_kernels(const std::string& isa) {
  for (const CpuKernels* kernels : supported_kernels()) {
    if (isa.empty() || isa == kernels->isa) return kernels;
  }
  return nullptr;
}

}  // namespace tintype
