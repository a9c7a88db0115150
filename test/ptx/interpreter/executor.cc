// Runs a kernel block by block, the warps of a block in turns from barrier to barrier.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <random>
#include <sstream>
#include <thread>

#include "execution.h"
#include "instruction_set.h"
#include "interpreter.h"

namespace tintype::ptx {

void fail(const Execution& x, const Instruction& i, const std::string& what) {
  std::ostringstream message;
  message << x.kernel.name << " block (" << x.block[0] << ", " << x.block[1] << ", " << x.block[2]
          << ") warp " << static_cast<int>(x.warp->id) << ", ptx line " << i.line << ": " << what << "\n    "
          << x.kernel.text[static_cast<size_t>(&i - x.kernel.code.data())];
  throw Fault(message.str());
}

namespace {

// Goes on with the lanes that are farthest behind of those that can; lanes that have met go on together.
void choose_lanes(Warp& w) {
  if (w.mask) w.waiting.push_back({w.pc, w.mask, false});
  if (w.waiting.empty()) {
    w.done = true;
    return;
  }
  const auto before = [](const WaitingLanes& a, const WaitingLanes& b) {
    return std::pair(a.needs_others, a.pc) < std::pair(b.needs_others, b.pc);
  };
  w.pc = std::min_element(w.waiting.begin(), w.waiting.end(), before)->pc;
  w.mask = 0;
  w.join = INT_MAX;
  std::vector<WaitingLanes> rest;
  for (const WaitingLanes& g : w.waiting) {
    if (g.pc == w.pc) {
      w.mask |= g.mask;
    } else {
      rest.push_back(g);
      if (!g.needs_others || g.pc > w.pc) w.join = std::min(w.join, g.pc);
    }
  }
  w.waiting.swap(rest);
}

// Whether an instruction names lanes that are elsewhere, and some of those can still come.
bool must_wait(Execution& x, const Instruction& i) {
  const Warp& w = *x.warp;
  if (i.kind != Kind::synchronize || x.mask == w.alive) return false;
  if (i.run == shuffle && !(x.row<uint32_t>(i.src[3])[std::countr_zero(x.mask)] & ~x.mask)) return false;
  return std::any_of(w.waiting.begin(), w.waiting.end(), [](const auto& g) { return !g.needs_others; });
}

void branch(Warp& w, const Instruction& i, uint32_t taken) {
  if (taken == w.mask) {
    w.pc = i.target;
    if (!w.waiting.empty()) choose_lanes(w);
  } else if (!taken) {
    w.pc++;
  } else {
    w.waiting.push_back({i.target, taken, false});
    w.mask &= ~taken;
    w.pc++;
    choose_lanes(w);
  }
}

// Until the warp is at a barrier or has ended.
void run_warp(Execution& x, Warp& w) {
  x.warp = &w;
  const Instruction* code = x.kernel.code.data();
  while (!w.done) {
    if (w.pc >= w.join) {
      choose_lanes(w);
      continue;
    }
    const Instruction& i = code[w.pc];
    uint32_t mask = w.mask;
    if (i.guard >= 0) mask &= i.guard_negated ? ~x.predicate(i.guard) : x.predicate(i.guard);
    x.statistics.warp_instructions[static_cast<size_t>(i.kind)]++;
    x.statistics.thread_instructions += static_cast<uint64_t>(std::popcount(mask));
    switch (i.flow) {
      case Flow::next:
        x.mask = mask;
        if (mask && must_wait(x, i)) {
          w.waiting.push_back({w.pc, w.mask, true});
          w.mask = 0;
          choose_lanes(w);
          break;
        }
        if (mask && i.touches_products) touch_products(x, i);
        if (mask) i.run(x, i);
        w.pc++;
        break;
      case Flow::branch:
        branch(w, i, mask);
        break;
      case Flow::leave:
        w.alive &= ~mask;
        w.mask &= ~mask;
        w.pc++;
        if (w.mask) break;
        choose_lanes(w);
        if (!w.done) break;
        if (!w.uncommitted.empty()) fail(x, i, "warp ends with a copy that no group holds");
        for (const auto& group : w.groups) {
          if (!group.empty()) fail(x, i, "warp ends with a copy in flight");
        }
        if (!w.uncommitted_products.empty()) fail(x, i, "warp ends with a product that no group holds");
        for (const auto& group : w.product_groups) {
          if (!group.empty()) fail(x, i, "warp ends with a product in flight");
        }
        break;
      case Flow::barrier:
        if (mask != w.alive) fail(x, i, "bar.sync reached by a part of the warp");
        w.at_barrier = true;
        w.pc++;
        return;
    }
  }
}

uint32_t special_value(Special which, const Execution& x, const cuda::Launch& launch, int warp, int lane) {
  switch (which) {
    case Special::tid:
      return static_cast<uint32_t>(warp * lanes + lane);
    case Special::ntid:
      return launch.threads;
    case Special::ctaid_x:
      return x.block[0];
    case Special::ctaid_y:
      return x.block[1];
    case Special::ctaid_z:
      return x.block[2];
    case Special::nctaid_x:
      return launch.grid.x;
    case Special::nctaid_y:
      return launch.grid.y;
    case Special::nctaid_z:
      return launch.grid.z;
    case Special::laneid:
      return static_cast<uint32_t>(lane);
  }
  return 0;
}

// The warps of one block and what they need, reused from block to block.
class BlockRunner {
 public:
  BlockRunner(const Kernel& kernel, const cuda::Launch& launch, const DeviceMemory& memory,
              uint8_t* variables, BlockTraffic* traffic, const Options& options)
      : launch_(launch),
        options_(options),
        random_(options.seed),
        execution_{kernel, memory, static_cast<const uint8_t*>(launch.args)},
        warps_((launch.threads + lanes - 1) / lanes),
        predicates_(warps_.size() * static_cast<size_t>(kernel.predicates + 1)),
        registers_((kernel.register_bytes + 63) / 64 * 8 * warps_.size() + 8, ~uint64_t{0}) {
    execution_.variables = variables;
    execution_.traffic = traffic;
  }

  void run(int64_t number) {
    start(number);
    for (;;) {
      if (options_.order == WarpOrder::random) std::shuffle(order_.begin(), order_.end(), random_);
      for (Warp* w : order_) run_warp(execution_, *w);
      check_warpgroups();
      const auto ended = std::count_if(warps_.begin(), warps_.end(), [](const Warp& w) { return w.done; });
      if (ended == static_cast<std::ptrdiff_t>(warps_.size())) return;
      if (ended > 0) {
        const Warp& stuck =
            *std::find_if(warps_.begin(), warps_.end(), [](const Warp& w) { return !w.done; });
        execution_.warp = const_cast<Warp*>(&stuck);
        fail(execution_, execution_.kernel.code[static_cast<size_t>(stuck.pc - 1)],
             "barrier that other warps of the block do not reach");
      }
      for (Warp& w : warps_) w.at_barrier = false;
      execution_.warpgroups.barrier();
      execution_.view.barrier();
      if (++execution_.epoch == 0)
        throw Fault(execution_.kernel.name + ": too many barriers for the race check");
    }
  }

  const Statistics& statistics() const { return execution_.statistics; }

 private:
  void start(int64_t number) {
    Execution& x = execution_;
    const cuda::Grid& g = launch_.grid;
    x.block[0] = static_cast<uint32_t>(number % g.x);
    x.block[1] = static_cast<uint32_t>(number / g.x % g.y);
    x.block[2] = static_cast<uint32_t>(number / g.x / g.y);
    x.sampled = number < options_.sampled_blocks;
    x.view.start(static_cast<int32_t>(number) + 1);
    x.epoch = 1;
    x.shared.reset(x.kernel.static_shared_bytes + launch_.shared_bytes);
    x.warpgroups.reset(warps_.size());
    order_.clear();
    for (size_t i = 0; i < warps_.size(); i++) {
      start_warp(static_cast<int>(i));
      order_.push_back(&warps_[i]);
    }
    if (options_.order == WarpOrder::reverse) std::reverse(order_.begin(), order_.end());
  }

  // All warps are at a barrier or have ended.
  void check_warpgroups() {
    int warp;
    const Instruction* i = execution_.warpgroups.unfinished(warp);
    if (!i) return;
    execution_.warp = &warps_[static_cast<size_t>(warp)];
    fail(execution_, *i, "instruction that other warps of the warpgroup do not reach");
  }

  void start_warp(int number) {
    const Kernel& kernel = execution_.kernel;
    Warp& w = warps_[static_cast<size_t>(number)];
    w = Warp();
    w.id = static_cast<uint8_t>(number);
    const size_t stride = (kernel.register_bytes + 63) / 64 * 64;
    w.registers = reinterpret_cast<char*>(registers_.data()) + stride * static_cast<size_t>(number);
    w.predicates =
        predicates_.data() + static_cast<size_t>(number) * static_cast<size_t>(kernel.predicates + 1);
    const int count = std::min(lanes, static_cast<int>(launch_.threads) - number * lanes);
    if (!kernel.accumulators.empty())
      w.product_registers.resize(kernel.register_bytes / (lanes * sizeof(uint32_t)));
    w.alive = w.mask = count == lanes ? all_lanes : (1u << count) - 1;
    execution_.warp = &w;
    for (const Kernel::Constant& c : kernel.constants) {
      for (int l = 0; l < lanes; l++) {
        if (c.wide) {
          execution_.row<uint64_t>(c.offset)[l] = c.value;
        } else {
          execution_.row<uint32_t>(c.offset)[l] = static_cast<uint32_t>(c.value);
        }
      }
    }
    for (const Kernel::SpecialRow& s : kernel.specials) {
      for (int l = 0; l < lanes; l++) {
        execution_.row<uint32_t>(s.offset)[l] = special_value(s.which, execution_, launch_, number, l);
      }
    }
  }

  const cuda::Launch& launch_;
  const Options& options_;
  std::mt19937_64 random_;
  Execution execution_;
  std::vector<Warp> warps_;
  std::vector<Warp*> order_;
  std::vector<uint32_t> predicates_;
  std::vector<uint64_t> registers_;
};

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

}  // namespace

Statistics execute(const Kernel& kernel, const cuda::Launch& launch, const DeviceMemory& memory,
                   const Options& options) {
  if (launch.args_bytes != kernel.param_bytes) {
    throw Fault(kernel.name + " takes " + std::to_string(kernel.param_bytes) + " bytes of arguments, not " +
                std::to_string(launch.args_bytes));
  }
  if (launch.threads == 0 || launch.threads > 1024) throw Fault(kernel.name + ": no such number of threads");
  const int64_t blocks = int64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  if (blocks == 0) throw Fault(kernel.name + ": empty grid");
  const std::vector<int64_t> order = block_order(blocks, options);
  uint8_t* variables = memory.variables(kernel.module, kernel.variable_bytes);
  BlockTraffic traffic;
  const bool watched = options.watches_all || kernel.has_atomics;
  Statistics total;
  std::mutex mutex;
  std::string fault;
  std::atomic<int64_t> next{0};
  const auto work = [&] {
    BlockRunner runner(kernel, launch, memory, variables, watched ? &traffic : nullptr, options);
    try {
      for (int64_t i = next++; i < blocks; i = next++) runner.run(order[static_cast<size_t>(i)]);
    } catch (const Fault& e) {
      const std::lock_guard lock(mutex);
      if (fault.empty()) fault = e.what();
      next = blocks;
    }
    const std::lock_guard lock(mutex);
    total.add(runner.statistics());
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
