// Matches the tokens of one picture, and says "<asks> <matched>": how often tasks asked whether they were
// cancelled, and how many tokens they found a destination for. usage: cancel SIDE NO, of which the answers
// before the first yes are NO
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

#include "../../kernels/cpu/token_merging.cc"

namespace {

struct Answers {
  int64_t asks, no;
};

}  // namespace

int main(int, char** argv) {
  using namespace tintype;
  using namespace tintype::TINTYPE_ISA;
  const int64_t side = std::atoll(argv[1]);
  constexpr int64_t kChannels = 16;
  const int64_t windows = side / 2 * (side / 2);
  std::vector<float> x(static_cast<size_t>(side * side * kChannels), 1.0f);
  const std::vector<int32_t> corners(static_cast<size_t>(windows));
  std::vector<int32_t> rows(static_cast<size_t>(side * side));
  const MatchTokensArgs args{1,       side,     side,           kChannels,  windows,
                             windows, x.data(), corners.data(), rows.data()};

  // No cosine is as large.
  constexpr float kUnmatched = std::numeric_limits<float>::max();
  const ScratchSize size = match_tokens_scratch(args);
  std::vector<float> each(size.each / sizeof(float)), shared(size.shared / sizeof(float), kUnmatched);
  Answers answers{0, std::atoll(argv[2])};
  // Tasks are all begun, as if all threads had begun theirs before the cancel.
  const Exec exec{[](void*, int64_t tasks, Exec::Body body, void* context) {
                    for (int64_t task = 0; task < tasks; task++) body(context, task, 0);
                  },
                  [](void* pool) {
                    Answers& given = *static_cast<Answers*>(pool);
                    return ++given.asks > given.no;
                  },
                  &answers,
                  1,
                  reinterpret_cast<char*>(shared.data()),
                  reinterpret_cast<char*>(each.data()),
                  0};
  match_tokens(args, exec);

  const float* cosine = matches_at(exec.shared_scratch, args).cosine;
  int64_t matched = 0;
  for (int64_t i = 0; i < side * side - windows; i++) matched += cosine[i] < kUnmatched ? 1 : 0;
  std::printf("%lld %lld\n", static_cast<long long>(answers.asks), static_cast<long long>(matched));
}
