#include "block.h"

#include <algorithm>

namespace tintype::ptx {

namespace {

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
    case Special::cluster_ctarank:
      return static_cast<uint32_t>(x.rank);
    case Special::cluster_nctarank:
      return x.cluster ? static_cast<uint32_t>(x.cluster->blocks.size()) : 1;
    case Special::cluster_ctaid_x:
      return x.block[0] % x.kernel.cluster[0];
    case Special::clusterid_x:
      return x.block[0] / x.kernel.cluster[0];
  }
  return 0;
}

}  // namespace

Block::Block(const LaunchContext& context)
    : context_(context),
      execution_{context.kernel, context.memory, static_cast<const uint8_t*>(context.launch.args)},
      warps_((context.launch.threads + lanes - 1) / lanes),
      predicates_(warps_.size() * static_cast<size_t>(context.kernel.predicates + 1)),
      registers_((context.kernel.register_bytes + 63) / 64 * 8 * warps_.size() + 8, ~uint64_t{0}) {
  execution_.variables = context.variables;
  execution_.traffic = context.traffic;
}

void Block::start(int64_t number, Cluster* cluster, int rank) {
  Execution& x = execution_;
  const cuda::Grid& g = context_.launch.grid;
  x.block[0] = static_cast<uint32_t>(number % g.x);
  x.block[1] = static_cast<uint32_t>(number / g.x % g.y);
  x.block[2] = static_cast<uint32_t>(number / g.x / g.y);
  x.sampled = number < context_.options.sampled_blocks;
  x.view.start(static_cast<int32_t>(number) + 1);
  x.epoch = 1;
  x.cluster = cluster;
  x.rank = rank;
  x.running = static_cast<int>(warps_.size());
  x.first_warp = rank * x.running;
  x.shared.reset(x.kernel.static_shared_bytes + context_.launch.shared_bytes,
                 cluster ? &cluster->clocks : nullptr, x.first_warp);
  if (cluster) x.mbarriers.reset(&cluster->clocks, &x.shared, rank);
  x.warpgroups.reset(warps_.size());
  for (size_t i = 0; i < warps_.size(); i++) start_warp(static_cast<int>(i));
}

void Block::check_warpgroups() {
  int warp;
  const Instruction* i = execution_.warpgroups.unfinished(warp);
  if (!i) return;
  execution_.warp = &warps_[static_cast<size_t>(warp)];
  fail(execution_, *i, "instruction that other warps of the warpgroup do not reach");
}

void Block::start_warp(int number) {
  const Kernel& kernel = execution_.kernel;
  Warp& w = warps_[static_cast<size_t>(number)];
  w = Warp();
  w.id = static_cast<uint8_t>(number);
  const size_t stride = (kernel.register_bytes + 63) / 64 * 64;
  w.registers = reinterpret_cast<char*>(registers_.data()) + stride * static_cast<size_t>(number);
  w.predicates =
      predicates_.data() + static_cast<size_t>(number) * static_cast<size_t>(kernel.predicates + 1);
  const int count = std::min(lanes, static_cast<int>(context_.launch.threads) - number * lanes);
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
      execution_.row<uint32_t>(s.offset)[l] = special_value(s.which, execution_, context_.launch, number, l);
    }
  }
}

}  // namespace tintype::ptx
