// Runs programs on a GPU: the first time kernel by kernel, then as graphs that were captured once.
#pragma once
#include "../backend.h"
#include "device.h"

namespace tintype::cuda {

struct BackendOptions {
  // Every value has an allocation of its own, whose bounds an interpreter or a sanitizer can check.
  bool separate_values = false;
};

struct CudaPrepared;

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(std::shared_ptr<Device> device, BackendOptions options = {})
      : device_(std::move(device)), options_(options) {}

  std::shared_ptr<Prepared> prepare(const Plan& plan, const Weights* weights,
                                    const ProgramOptions& options) const override;
  void run(const Work& work) override;
  size_t workspace_bytes() const override { return workspace_bytes_; }
  std::shared_ptr<void> take_workspace() override;

 private:
  std::shared_ptr<void> allocate(size_t bytes, const char* what);
  void remember(const Work& work);
  void drop_buffers(const Work& work);
  void drop_weights(const Work& work);
  bool fits(const Work& work);
  void run_once(const Work& work);
  void reserve(const Work& work);
  void load_weights(const Work& work);
  void upload(void* to, const void* from, size_t bytes);

  const std::shared_ptr<Device> device_;
  const BackendOptions options_;
  // Arena, and what kernels keep between their launches: one for all programs.
  std::shared_ptr<void> workspace_;
  size_t workspace_bytes_ = 0;
  // Whose memory can be had when there is no other: it is made again at their next run.
  std::vector<std::weak_ptr<CudaPrepared>> programs_;
  std::vector<std::weak_ptr<Weights>> weights_;
};

}  // namespace tintype::cuda
