// Runs a kernel, its blocks or clusters in some order and on several threads.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <random>
#include <thread>

#include "interpreter.h"
#include "runners.h"

namespace tintype::ptx {

namespace {

std::vector<int64_t> block_order(int64_t blocks, const Options& options) {
  std::vector<int64_t> order(static_cast<size_t>(blocks));
  std::iota(order.begin(), order.end(), 0);
  if (options.order == WarpOrder::reverse) std::reverse(order.begin(), order.end());
  if (options.order == WarpOrder::random) {
    std::mt19937_64 random(options.seed);
    std::shuffle(order.begin(), order.end(), random);
  }
  return order;
}

std::unique_ptr<Runner> runner_for(const LaunchContext& context) {
  if (context.kernel.has_clocks) return std::make_unique<ClusterRunner>(context);
  return std::make_unique<BlockRunner>(context);
}

}  // namespace

Statistics execute(const Kernel& kernel, const cuda::Launch& launch, const DeviceMemory& memory,
                   const Options& options) {
  if (launch.args_bytes != kernel.param_bytes) {
    throw Fault(kernel.name + " takes " + std::to_string(kernel.param_bytes) + " bytes of arguments, not " +
                std::to_string(launch.args_bytes));
  }
  if (launch.threads == 0 || launch.threads > 1024) throw Fault(kernel.name + ": no such number of threads");
  int64_t blocks = int64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  if (blocks == 0) throw Fault(kernel.name + ": empty grid");
  const auto& cluster = kernel.cluster;
  if (launch.grid.x % cluster[0] || launch.grid.y % cluster[1] || launch.grid.z % cluster[2]) {
    throw Fault(kernel.name + ": the grid is no multiple of the cluster");
  }
  // Clusters are run as a whole.
  blocks /= int64_t{cluster[0]} * cluster[1] * cluster[2];
  const std::vector<int64_t> order = block_order(blocks, options);
  uint8_t* variables = memory.variables(kernel.module, kernel.variable_bytes);
  BlockTraffic traffic;
  const bool watched = options.watches_all || kernel.has_atomics;
  Statistics total;
  std::mutex mutex;
  std::string fault;
  std::atomic<int64_t> next{0};
  const auto work = [&] {
    const LaunchContext context = {kernel, launch, memory, variables, watched ? &traffic : nullptr, options};
    const std::unique_ptr<Runner> runner = runner_for(context);
    try {
      for (int64_t i = next++; i < blocks; i = next++) runner->run(order[static_cast<size_t>(i)]);
    } catch (const Fault& e) {
      const std::lock_guard lock(mutex);
      if (fault.empty()) fault = e.what();
      next = blocks;
    }
    const std::lock_guard lock(mutex);
    total.add(runner->statistics());
  };
  std::vector<std::thread> others;
  for (int64_t t = 1; t < std::min<int64_t>(options.threads, blocks); t++) others.emplace_back(work);
  work();
  for (std::thread& t : others) t.join();
  if (!fault.empty()) throw Fault(fault);
  // What one launch leaves in a counter, the next one would begin with.
  if (std::any_of(variables, variables + kernel.variable_bytes, [](uint8_t byte) { return byte != 0; })) {
    throw Fault(kernel.name + " leaves a counter that is not 0");
  }
  return total;
}

}  // namespace tintype::ptx
