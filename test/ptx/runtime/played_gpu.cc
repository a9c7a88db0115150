#include "played_gpu.h"

#include <cstdlib>
#include <sstream>

namespace tintype::ptx {

// Never destroyed: threads may still be running at exit. TINTYPE_PLAYED_GPUS lists architectures.
Machine& Machine::the() {
  static Machine& machine = [&]() -> Machine& {
    auto& made = *new Machine;
    made.gpus.reserve(Machine::most_gpus);
    const char* folder = std::getenv("TINTYPE_PTX");
    made.ptx = folder ? folder : "";
    const char* listed = std::getenv("TINTYPE_PLAYED_GPUS");
    std::stringstream list(listed ? listed : "80");
    for (std::string one; std::getline(list, one, ',');) {
      const GpuModel model = {.architecture = std::atoi(one.c_str())};
      made.gpus.push_back(std::make_unique<PlayedGpu>(static_cast<int>(made.gpus.size()), model));
    }
    return made;
  }();
  return machine;
}

cudaError_t enter(PlayedGpu& gpu, const char* call) {
  Machine& machine = Machine::the();
  gpu.calls[call]++;
  {
    const std::lock_guard lock(machine.mutex);
    for (auto& fault : machine.injected) {
      if (fault.call != call || (fault.device != -1 && fault.device != gpu.number) || fault.times == 0)
        continue;
      if (--fault.nth > 0) continue;
      fault.times--;
      // What breaks a context does so for all calls to come.
      if (fault.error >= 700 && fault.error < 720) gpu.lost = fault.error;
      return fault.error;
    }
  }
  return gpu.lost;
}

void PlayedGpu::submit(Stream& stream, Operation operation) {
  const Timing timing = model.timing;
  const bool at_once = timing == Timing::at_once ||
                       (timing == Timing::copies_first && operation.is_copy && stream.operations.empty());
  stream.operations.push_back(std::move(operation));
  if (at_once) settle(stream);
}

void PlayedGpu::advance(Stream& stream) {
  Operation operation = std::move(stream.operations.front());
  stream.operations.pop_front();
  if (operation.awaited) {
    auto& event = *reinterpret_cast<Event*>(operation.awaited);
    while (event.passed < operation.times) advance(*event.stream);
  }
  if (lost != cudaSuccess || !operation.run) return;
  try {
    operation.run();
  } catch (const std::exception& e) {
    lost = cudaErrorIllegalAddress;
    why = e.what();
  }
}

void PlayedGpu::settle(Event& event) {
  const uint64_t wanted = event.recorded;
  while (event.passed < wanted && lost == cudaSuccess) advance(*event.stream);
}

void PlayedGpu::settle(Stream& stream) {
  while (!stream.operations.empty() && lost == cudaSuccess) advance(stream);
}

void PlayedGpu::settle_all() {
  for (Stream* stream : streams) settle(*stream);
}

void PlayedGpu::execute(const Recorded& recorded) {
  const cuda::Launch launch = {recorded.kernel->name.c_str(), recorded.grid,        recorded.threads,
                               recorded.shared_bytes,         recorded.args.data(), recorded.args.size()};
  check_launch(launch, model.architecture);
  const Options options = {
      .order = WarpOrder::random, .threads = 2, .watches_all = false, .sampled_blocks = 0};
  ptx::execute(*recorded.kernel->kernel, launch, memory, options);
}

}  // namespace tintype::ptx
