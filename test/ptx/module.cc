// A module of the addon whose GPUs are interpreted ones: what tintype_cuda is with CUDA. TINTYPE_PTX names
// the folder of the .ptx files: sm_80/f16 and so on.
#include "../../native/module.h"

#include <cstdlib>
#include <iterator>
#include <string>

#include "../../native/cuda/backend.h"
#include "../../native/errors.h"
#include "interpreted_device.h"

namespace tintype {

namespace {

struct Model {
  int architecture;
  bool separate_values;  // an allocation for each value, whose bounds are checked
};
constexpr Model models[] = {{80, false}, {80, true}, {75, false}, {90, false}, {120, false}};

}  // namespace

Napi::Array list_devices(Napi::Env env) {
  const Napi::Array result = Napi::Array::New(env);
  for (const Model& model : models) {
    Napi::Object gpu = Napi::Object::New(env);
    gpu["name"] = "cuda:" + std::to_string(result.Length());
    gpu["description"] =
        model.separate_values ? "interpreted GPU, one allocation for each value" : "interpreted GPU";
    gpu["isa"] = "sm_" + std::to_string(model.architecture);
    result.Set(result.Length(), gpu);
  }
  return result;
}

std::unique_ptr<Backend> open_backend(int number) {
  if (number < 0 || number >= static_cast<int>(std::size(models))) {
    throw Error(code::device_unavailable, "There is no interpreted GPU ", number, ".");
  }
  const Model& model = models[number];
  const char* folder = std::getenv("TINTYPE_PTX");
  if (folder == nullptr) throw Error(code::device_unavailable, "TINTYPE_PTX names no folder.");
  const cuda::Gpu gpu = {model.architecture, 4};
  const ptx::Options options = {.order = ptx::WarpOrder::random, .threads = 2, .sampled_blocks = 0};
  const std::string modules = std::string(folder) + "/sm_" + std::to_string(model.architecture);
  return std::make_unique<cuda::CudaBackend>(std::make_shared<ptx::InterpretedDevice>(modules, gpu, options),
                                             cuda::BackendOptions{.separate_values = model.separate_values});
}

}  // namespace tintype
