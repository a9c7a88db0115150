// The most that this machine does: fused multiply-adds from registers, and copying between arrays larger than its
// caches. usage: peak THREADS; prints {"gflops": ..., "copyGBs": ...}

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64, kAccumulators = 24;
#elif defined(__AVX__)
constexpr int kBytes = 32, kAccumulators = 12;
#elif defined(__aarch64__)
constexpr int kBytes = 16, kAccumulators = 24;
#else
constexpr int kBytes = 16, kAccumulators = 12;
#endif
using Vector = float __attribute__((vector_size(kBytes)));
constexpr int kLanes = kBytes / sizeof(float);

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

volatile float sink;

// Independent chains, enough to fill the pipelines; x = x * a + b stays finite for a < 1.
double fmaBlock(int rounds) {
  Vector x[kAccumulators];
  Vector a = {}, b = {};
  a += 0.999f, b += 0.001f;
  for (int i = 0; i < kAccumulators; i++) x[i] = b * static_cast<float>(i);
  const double begin = seconds();
  for (int r = 0; r < rounds; r++) {
#pragma GCC unroll 32
    for (int i = 0; i < kAccumulators; i++) x[i] = x[i] * a + b;
  }
  const double spent = seconds() - begin;
  float sum = 0;
  for (const Vector& v : x)
    for (int lane = 0; lane < kLanes; lane++) sum += v[lane];
  sink = sum;
  return 2.0 * kLanes * kAccumulators * rounds / spent;
}

// Blocks of about a millisecond: shorter than the turns of a scheduler, so that a busy machine does not hide its peak.
double fmaPeak() {
  double best = 0;
  for (const double end = seconds() + 0.5; seconds() < end;) best = std::max(best, fmaBlock(200000));
  return best;
}

constexpr size_t kArray = size_t{64} << 20;
constexpr int kPasses = 12;

struct Barrier {
  const int threads;
  std::atomic<int> arrived{0};
  void wait(int round) {
    arrived++;
    while (arrived < threads * round) std::this_thread::yield();
  }
};

template <typename Body>
void parallel(int threads, Body body) {
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; t++) pool.emplace_back(body, t);
  for (std::thread& thread : pool) thread.join();
}

double copyPeak(int threads) {
  Barrier barrier{threads};
  std::vector<double> begins(kPasses), ends(static_cast<size_t>(threads) * kPasses);
  parallel(threads, [&](int t) {
    std::vector<char> from(kArray, 1), to(kArray, 2);
    for (int pass = 0; pass < kPasses; pass++) {
      barrier.wait(2 * pass + 1);
      if (t == 0) begins[pass] = seconds();
      barrier.wait(2 * pass + 2);
      std::memcpy(to.data(), from.data(), kArray);
      ends[static_cast<size_t>(pass) * threads + t] = seconds();
      sink = to[static_cast<size_t>(pass)];
    }
  });
  double best = 0;
  for (int pass = 0; pass < kPasses; pass++) {
    const double end = *std::max_element(&ends[static_cast<size_t>(pass) * threads],
                                         &ends[static_cast<size_t>(pass + 1) * threads - 1] + 1);
    best = std::max(best, 2.0 * kArray * threads / (end - begins[pass]));
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 0;
  if (threads < 1) {
    std::fprintf(stderr, "usage: peak THREADS\n");
    return 2;
  }
  std::vector<double> flops(threads);
  parallel(threads, [&](int t) { flops[t] = fmaPeak(); });
  double total = 0;
  for (double f : flops) total += f;
  std::printf("{\"gflops\": %.1f, \"copyGBs\": %.1f}\n", total / 1e9, copyPeak(threads) / 1e9);
}
