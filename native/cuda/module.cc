// The module of NVIDIA's GPUs. It loads on every machine; where none can be used it says why.
#include "../module.h"

#include <cstdlib>
#include <string>

#include "backend.h"
#include "device.h"

namespace tintype {

// [{ name, description, isa, memory }], each at its number. What cannot say what it is has the reason as its
// description: opening it fails, and says more.
Napi::Array list_devices(Napi::Env env) {
  const Napi::Array result = Napi::Array::New(env);
  const int count = cuda::device_count();
  for (int i = 0; i < count; i++) {
    cudaDeviceProp properties{};
    const cudaError_t error = cudaGetDeviceProperties(&properties, i);
    if (error != cudaSuccess) cudaGetLastError();
    Napi::Object gpu = Napi::Object::New(env);
    gpu["name"] = "cuda:" + std::to_string(i);
    gpu["description"] = std::string(error == cudaSuccess ? properties.name : cudaGetErrorString(error));
    gpu["isa"] = "sm_" + std::to_string(properties.major * 10 + properties.minor);
    gpu["memory"] = Napi::Number::New(env, static_cast<double>(properties.totalGlobalMem));
    result.Set(static_cast<uint32_t>(i), gpu);
  }
  return result;
}

std::unique_ptr<Backend> open_backend(int device) {
  // For compute-sanitizer, which knows the bounds of allocations.
  const bool separate_values = std::getenv("TINTYPE_CUDA_SEPARATE_VALUES") != nullptr;
  return std::make_unique<cuda::CudaBackend>(std::make_shared<cuda::Device>(device),
                                             cuda::BackendOptions{.separate_values = separate_values});
}

}  // namespace tintype
