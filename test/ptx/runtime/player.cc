// What tests say about the played machine: which GPUs it has, when streams work, which calls fail.
#include <napi.h>

#include "played_gpu.h"

namespace tintype::ptx {

namespace {

int number(const Napi::Value& value, int otherwise) {
  return value.IsNumber() ? value.As<Napi::Number>().Int32Value() : otherwise;
}

// add({ architecture, processors?, memory?, timing? }): the number of another GPU.
Napi::Value add(const Napi::CallbackInfo& info) {
  const auto wanted = info[0].As<Napi::Object>();
  Machine& machine = Machine::the();
  const std::lock_guard lock(machine.mutex);
  if (machine.gpus.size() == Machine::most_gpus) throw Napi::Error::New(info.Env(), "too many GPUs");
  GpuModel model;
  model.architecture = number(wanted.Get("architecture"), model.architecture);
  model.processors = number(wanted.Get("processors"), model.processors);
  model.timing = static_cast<Timing>(number(wanted.Get("timing"), 0));
  const Napi::Value memory = wanted.Get("memory");
  if (memory.IsNumber()) model.memory = static_cast<uint64_t>(memory.As<Napi::Number>().Int64Value());
  const auto place = static_cast<int>(machine.gpus.size());
  machine.gpus.push_back(std::make_unique<PlayedGpu>(place, model));
  return Napi::Number::New(info.Env(), place);
}

// setUp({ driver?, hidden? })
void set_up(const Napi::CallbackInfo& info) {
  const auto wanted = info[0].As<Napi::Object>();
  Machine& machine = Machine::the();
  const std::lock_guard lock(machine.mutex);
  machine.driver = number(wanted.Get("driver"), CUDART_VERSION);
  machine.is_hidden = wanted.Get("hidden").ToBoolean().Value();
  machine.injected.clear();
}

// fail({ device?, call, nth?, times?, error }): the nth call from now on.
void fail(const Napi::CallbackInfo& info) {
  const auto wanted = info[0].As<Napi::Object>();
  Machine& machine = Machine::the();
  const std::lock_guard lock(machine.mutex);
  machine.injected.push_back({number(wanted.Get("device"), -1), wanted.Get("call").As<Napi::String>(),
                              number(wanted.Get("nth"), 1), number(wanted.Get("times"), 1),
                              static_cast<cudaError_t>(number(wanted.Get("error"), 0))});
}

// of(device): { calls: { cudaMalloc: 3, ... }, used, allocations, why }
Napi::Value of(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  PlayedGpu& gpu = *Machine::the().gpus.at(static_cast<size_t>(number(info[0], 0)));
  const std::lock_guard lock(gpu.mutex);
  auto calls = Napi::Object::New(env);
  for (const auto& [name, count] : gpu.calls) calls[name] = count;
  auto result = Napi::Object::New(env);
  result["calls"] = calls;
  result["used"] = static_cast<double>(gpu.used);
  result["allocations"] = static_cast<double>(gpu.allocated.size());
  result["pinned"] = static_cast<double>(gpu.pinned.size());
  result["why"] = gpu.why;
  return result;
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports["add"] = Napi::Function::New<add>(env);
  exports["setUp"] = Napi::Function::New<set_up>(env);
  exports["fail"] = Napi::Function::New<fail>(env);
  exports["of"] = Napi::Function::New<of>(env);
  return exports;
}

}  // namespace

NODE_API_MODULE(player, initialize)

}  // namespace tintype::ptx
