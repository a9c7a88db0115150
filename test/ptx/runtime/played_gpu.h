// GPUs as the CUDA runtime shows them, played by the interpreter: memory of a size, streams that run late,
// events, captured graphs, and errors where a test wants them.
#pragma once
#include <cuda_runtime_api.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "../interpreted_gpu.h"

namespace tintype::ptx {

// When what was asked of a stream happens: not before somebody waits for it, or at once, or copies at once
// and kernels late. Code that lacks an event or a wait computes with the wrong numbers in one of them.
enum class Timing { late, at_once, copies_first };

struct GpuModel {
  int architecture = 80;
  int processors = 4;
  uint64_t memory = uint64_t{8} << 30;
  Timing timing = Timing::late;
};

struct Operation {
  bool is_copy = false;
  std::function<void()> run;      // may throw a Fault
  cudaEvent_t awaited = nullptr;  // of a wait: not before that event has passed so often
  uint64_t times = 0;
};

struct Stream;

struct Event {
  Stream* stream = nullptr;  // that it was recorded in last
  uint64_t recorded = 0, passed = 0;
};

struct Kernel_ {
  std::string name;
  const Kernel* kernel;
  size_t shared_limit = 48 << 10;
  bool is_loaded = false;  // has been launched
};

struct Library {
  std::string precision;
  std::map<std::string, std::unique_ptr<Kernel_>> kernels;
};

// A launch with a copy of its arguments.
struct Recorded {
  Kernel_* kernel;
  cuda::Grid grid;
  uint32_t threads;
  size_t shared_bytes;
  std::vector<char> args;
};

struct Graph {
  std::vector<Recorded> launches;
};

struct Stream {
  std::deque<Operation> operations;
  std::unique_ptr<Graph> capture;
};

class PlayedGpu {
 public:
  PlayedGpu(int device_number, GpuModel gpu_model) : number(device_number), model(gpu_model) {}

  const int number;
  const GpuModel model;
  std::recursive_mutex mutex;
  DeviceMemory memory;
  std::map<void*, uint64_t> allocated;
  uint64_t used = 0;
  std::set<Stream*> streams;
  std::set<void*> pinned;
  std::map<std::string, int> calls;
  cudaError_t lost = cudaSuccess;  // the error that every call gets from now on
  std::string why;                 // what the interpreter found

  void submit(Stream& stream, Operation operation);
  // Until the event has passed as often as it has been recorded.
  void settle(Event& event);
  void settle(Stream& stream);
  void settle_all();
  void execute(const Recorded& launch);

 private:
  void advance(Stream& stream);
};

// All that a test decides about the machine. GPUs are added and never taken away: an executor lives as long
// as the JavaScript environment that used it.
struct Machine {
  static constexpr size_t most_gpus = 256;
  std::mutex mutex;
  std::vector<std::unique_ptr<PlayedGpu>> gpus;
  int driver = CUDART_VERSION;
  bool is_hidden = false;  // as if there were no GPUs
  std::string ptx;
  struct Injected {
    int device;  // -1: any
    std::string call;
    int nth;  // counted from 1 when it is asked for
    int times;
    cudaError_t error;
  };
  std::vector<Injected> injected;

  static Machine& the();
};

// Counts a call and says whether it is to fail.
cudaError_t enter(PlayedGpu& gpu, const char* call);

}  // namespace tintype::ptx
