// Runs programs with the kernels of the CPU, on a pool of threads.
#pragma once
#include "../backend.h"
#include "../memory.h"
#include "pool.h"

namespace tintype {

class WeightLoader;

class CpuBackend final : public Backend {
 public:
  std::shared_ptr<Prepared> prepare(const Plan& plan, const Weights* weights,
                                    const ProgramOptions& options) const override;
  void run(const Work& work) override;
  size_t workspace_bytes() const override { return workspace_.size(); }
  std::shared_ptr<void> take_workspace() override;

 private:
  void reserve(const Work& work);

  // Arena and scratch memory: one for all programs.
  Block workspace_;
  Pool pool_;
};

}  // namespace tintype
