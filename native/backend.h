// What executes programs: the kernels of the CPU, or those of one GPU. Each module of the addon has one kind.
#pragma once
#include <atomic>
#include <exception>
#include <memory>
#include <vector>

#include "plan.h"
#include "weights.h"

namespace tintype {

struct ProgramOptions {
  int threads;
  bool profile;
  bool fast;  // matrix products sum 32 products in fp16: on a GPU
};

// What a backend keeps of a program. Made on JavaScript's thread, destroyed on the executor's.
class Prepared {
 public:
  virtual ~Prepared() = default;
  size_t workspace_bytes = 0;  // of the memory that all programs share, since they run in turns
};

enum Cancel : int { not_cancelled, cancelled_by_signal, cancelled_by_dispose };

// What a run works on.
struct Work {
  const Plan& plan;
  Weights* weights;
  const ProgramOptions& options;
  Prepared& prepared;
  const std::vector<void*>&inputs, &outputs;  // memory of JavaScript, one for each slot
  const std::vector<uint32_t>& versions;      // of the inputs, 0 where they may have changed
  const std::atomic<int>& cancel;
  std::vector<double>& seconds;  // how long each node took, where the program is profiled
};

// Throws ABORTED or DISPOSED once the run is to end.
void throw_if_cancelled(const std::atomic<int>& cancel);

// All but prepare() and the destructor is called on the executor's thread.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::shared_ptr<Prepared> prepare(const Plan& plan, const Weights* weights,
                                            const ProgramOptions& options) const = 0;
  virtual void run(const Work& work) = 0;
  virtual size_t workspace_bytes() const = 0;
  // Takes the workspace away; it is freed when the result is.
  virtual std::shared_ptr<void> take_workspace() = 0;
};

// The backend of a device of this module. Throws DEVICE_UNAVAILABLE.
std::unique_ptr<Backend> open_backend(int device);

}  // namespace tintype
