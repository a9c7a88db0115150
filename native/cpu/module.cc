// The module whose only device is the CPU.
#include "../module.h"

#include "../../kernels/cpu/dispatch.h"
#include "../machine.h"
#include "backend.h"
#include "kernels.h"

namespace tintype {

// [{ name, description, isa, isas, bf16, l2Bytes, cores, threads }]
Napi::Array list_devices(Napi::Env env) {
  Napi::Object cpu = Napi::Object::New(env);
  cpu["name"] = "cpu";
  cpu["description"] = cpu_name();
  cpu["isa"] = process_kernels().isa;
  const Napi::Array isas = Napi::Array::New(env);
  for (const CpuKernels* kernels : supported_kernels()) isas.Set(isas.Length(), kernels->isa);
  cpu["isas"] = isas;
  cpu["bf16"] = pair_products(process_kernels()) == PairProducts::fast;
  cpu["l2Bytes"] = static_cast<double>(l2_bytes());
  cpu["cores"] = available_cores();
  cpu["threads"] = default_threads();
  const Napi::Array result = Napi::Array::New(env);
  result.Set(0u, cpu);
  return result;
}

std::unique_ptr<Backend> open_backend(int) {
  return std::make_unique<CpuBackend>();
}

}  // namespace tintype
