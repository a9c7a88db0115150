#include "dispatch.h"

#if defined(_MSC_VER) && defined(_M_X64)
#include <immintrin.h>
#include <intrin.h>
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

#if defined(_MSC_VER)

struct Cpu {
  bool avx2 = false, avx512 = false;
  Cpu() {
    int leaf1[4], leaf7[4];
    __cpuid(leaf1, 1);
    __cpuidex(leaf7, 7, 0);
    const auto bit = [](int word, int index) { return (word >> index & 1) != 0; };
    if (!bit(leaf1[2], 27)) return;  // OSXSAVE: the system saves what it says that it saves
    const unsigned long long saved = _xgetbv(0);
    avx2 = (saved & 0x6) == 0x6 && bit(leaf7[1], 5) && bit(leaf1[2], 12) && bit(leaf1[2], 29) &&
           bit(leaf7[1], 8);
    avx512 = avx2 && (saved & 0xe6) == 0xe6 && bit(leaf7[1], 16) && bit(leaf7[1], 17) && bit(leaf7[1], 30) &&
             bit(leaf7[1], 31);
  }
};

#else

struct Cpu {
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
              __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi2");
  bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  bool avx512bf16 = avx512 && __builtin_cpu_supports("avx512bf16");
};

#endif

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
