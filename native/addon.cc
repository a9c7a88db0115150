// The native API as JavaScript sees it: devices, loadWeights, compile, and two functions about memory. Types
// and ranges that users get wrong are checked in lib/runtime; what is checked here keeps memory safe.
#include <napi.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "environment.h"
#include "errors.h"
#include "machine.h"
#include "memory.h"
#include "module.h"

namespace tintype {

namespace {

// The one place where native exceptions become JavaScript's.
template <class Body>
Napi::Value at_boundary(Napi::Env env, Body body) {
  try {
    return body();
  } catch (...) {
    throw to_javascript(env, std::current_exception());
  }
}

class WeightSetHandle : public Napi::ObjectWrap<WeightSetHandle> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "WeightSet",
                       {InstanceMethod<&WeightSetHandle::dispose>("dispose"),
                        InstanceMethod<&WeightSetHandle::bytes>("bytes")});
  }

  static Napi::Object create(Napi::Env env, std::shared_ptr<Weights> weights) {
    const Napi::Object object = Environment::of(env).weight_set_class.New({});
    Unwrap(object)->weights_ = std::move(weights);
    return object;
  }

  // Null for null; a set that was disposed is an error.
  static std::shared_ptr<Weights> weights_of(const Napi::Value& value) {
    if (value.IsNull()) return nullptr;
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&tag)) {
      throw Error(code::invalid_argument, "weights: expected a WeightSet or null.");
    }
    const std::shared_ptr<Weights>& weights = Unwrap(value.As<Napi::Object>())->weights_;
    if (!weights) throw Error(code::disposed, "The weights were used after dispose().");
    return weights;
  }

  explicit WeightSetHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    info.This().As<Napi::Object>().TypeTag(&tag);
  }

 private:
  static constexpr napi_type_tag tag = {0x74696e7479706520, 0x5765696768745365};

  // The memory goes when no program uses the weights any more.
  Napi::Value dispose(const Napi::CallbackInfo& info) {
    weights_.reset();
    return info.Env().Undefined();
  }

  Napi::Value bytes(const Napi::CallbackInfo& info) {
    const auto number = [&](uint64_t value) {
      return Napi::Number::New(info.Env(), static_cast<double>(value));
    };
    Napi::Object result = Napi::Object::New(info.Env());
    result["stored"] = number(weights_ ? weights_->stored_bytes() : 0);
    result["resident"] = number(weights_ ? weights_->resident_bytes() : 0);
    return result;
  }

  std::shared_ptr<Weights> weights_;
};

struct Memory {
  void* data = nullptr;
  size_t bytes = 0;
};

Memory memory_of(const Napi::Value& view) {
  if (view.IsTypedArray()) {
    // Not Napi::TypedArray: it insists on an ArrayBuffer, and SharedArrayBuffers are welcome.
    Memory memory;
    napi_typedarray_type type;
    size_t length = 0;
    if (napi_get_typedarray_info(view.Env(), view, &type, &length, &memory.data, nullptr, nullptr) ==
        napi_ok) {
      constexpr size_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
      if (static_cast<size_t>(type) < std::size(sizes)) memory.bytes = length * sizes[type];
      return memory;
    }
  }
  throw Error(code::invalid_argument, "expected a typed array");
}

class ProgramHandle : public Napi::ObjectWrap<ProgramHandle> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "Program",
        {InstanceMethod<&ProgramHandle::run>("run"), InstanceMethod<&ProgramHandle::dispose>("dispose")});
  }

  static Napi::Object create(Napi::Env env, std::shared_ptr<Program> program) {
    const Napi::Object object = Environment::of(env).program_class.New({});
    Unwrap(object)->program_ = std::move(program);
    return object;
  }

  explicit ProgramHandle(const Napi::CallbackInfo& info) : ObjectWrap(info) {}

 private:
  // run(inputs, outputs, versions of inputs): { promise, cancel() }
  Napi::Value run(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return at_boundary(env, [&]() -> Napi::Value {
      // Reading an element of an array can call into JavaScript, so all of that comes before any pointer.
      const Napi::Array views = Napi::Array::New(env);
      const uint32_t input_count = append(views, info[0].As<Napi::Array>());
      append(views, info[1].As<Napi::Array>());
      const std::vector<uint32_t> versions = versions_of(info[2], input_count);
      if (!program_) throw Error(code::disposed, "The program was used after dispose().");
      const Plan& plan = program_->plan;
      if (input_count != plan.inputs.size() || views.Length() != input_count + plan.outputs.size()) {
        throw Error(code::invalid_argument, "The program takes ", plan.inputs.size(), " inputs and ",
                    plan.outputs.size(), " outputs, got ", input_count, " and ", views.Length() - input_count,
                    ".");
      }
      std::vector<void*> inputs, outputs;
      for (uint32_t i = 0; i < views.Length(); i++) {
        const bool is_input = i < input_count;
        const uint32_t place = is_input ? i : i - input_count;
        const Slot& slot = is_input ? plan.inputs[place] : plan.outputs[place];
        (is_input ? inputs : outputs)
            .push_back(pointer(views.Get(i), slot, text(is_input ? "input " : "output ", place)));
      }
      // After all that may be refused: a promise that nobody settles is never collected.
      const auto run = std::make_shared<PendingRun>(Environment::of(env), env, views);
      run->program = program_;
      run->inputs = std::move(inputs);
      run->outputs = std::move(outputs);
      run->versions = versions;
      Environment::of(env).start(run);
      Napi::Object result = Napi::Object::New(env);
      result["promise"] = run->promise();
      const std::weak_ptr<PendingRun> pending = run;
      result["cancel"] = Napi::Function::New(env, [pending](const Napi::CallbackInfo&) {
        if (const auto running = pending.lock()) running->stop(cancelled_by_signal);
      });
      return result;
    });
  }

  // Pending runs are cancelled and reject with DISPOSED; the memory goes when the last of them has ended.
  Napi::Value dispose(const Napi::CallbackInfo& info) {
    if (program_) Environment::of(info.Env()).stop_runs(program_.get());
    program_.reset();
    return info.Env().Undefined();
  }

  // One for each input, 0 where none is given.
  static std::vector<uint32_t> versions_of(const Napi::Value& given, uint32_t count) {
    std::vector<uint32_t> versions(count, 0);
    if (!given.IsArray()) return versions;
    for (uint32_t i = 0; i < count; i++) {
      const Napi::Value version = given.As<Napi::Array>().Get(i);
      if (version.IsNumber()) versions[i] = version.As<Napi::Number>().Uint32Value();
    }
    return versions;
  }

  static uint32_t append(Napi::Array views, Napi::Array more) {
    const uint32_t count = more.Length();
    for (uint32_t i = 0; i < count; i++) views.Set(views.Length(), more.Get(i));
    return count;
  }

  static void* pointer(const Napi::Value& view, const Slot& slot, const std::string& name) {
    const Memory memory = memory_of(view);
    if (slot.bytes == 0) return memory.data;
    if (memory.bytes != slot.bytes) {
      throw Error(code::invalid_argument, name, ": expected ", slot.bytes, " bytes, got ", memory.bytes,
                  memory.data == nullptr ? ". Was the buffer transferred?" : ".");
    }
    const uintptr_t element = slot.dtype == DType::u8                                 ? 1
                              : slot.dtype == DType::f16 || slot.dtype == DType::bf16 ? 2
                                                                                      : 4;
    if (reinterpret_cast<uintptr_t>(memory.data) % element != 0) {
      throw Error(code::invalid_argument, name, ": its memory is not aligned to ", element, " bytes.");
    }
    return memory.data;
  }

  std::shared_ptr<Program> program_;
};

Napi::Value devices(const Napi::CallbackInfo& info) {
  return at_boundary(info.Env(), [&] { return list_devices(info.Env()); });
}

// Which of the module's devices is meant.
const std::shared_ptr<Executor>& executor_of(Napi::Env env, const Napi::Value& options) {
  const Napi::Value device = options.IsObject() ? options.As<Napi::Object>().Get("device") : options;
  return Environment::of(env).executor(device.IsNumber() ? device.As<Napi::Number>().Int32Value() : 0);
}

WeightRef to_ref(const Napi::Object& object) {
  WeightRef ref;
  ref.path = object.Get("path").As<Napi::String>();
  ref.offset = static_cast<uint64_t>(object.Get("offset").As<Napi::Number>().Int64Value());
  const std::string dtype = object.Get("dtype").As<Napi::String>();
  if (dtype != "f32" && dtype != "f16" && dtype != "bf16") {
    throw Error(code::invalid_weights, ref.path, ": tensors of type ", dtype, " cannot be used.");
  }
  ref.dtype = dtype == "f32" ? DType::f32 : dtype == "f16" ? DType::f16 : DType::bf16;
  const auto shape = object.Get("shape").As<Napi::Array>();
  for (uint32_t i = 0, rank = shape.Length(); i < rank; i++) {
    ref.shape.push_back(static_cast<uint64_t>(shape.Get(i).As<Napi::Number>().Int64Value()));
  }
  return ref;
}

Matrices to_matrices(const Napi::Value& options) {
  if (!options.IsObject()) return Matrices::stored;
  const Napi::Value value = options.As<Napi::Object>().Get("matrices");
  if (value.IsUndefined()) return Matrices::stored;
  const std::string name = value.ToString();
  if (name == "stored") return Matrices::stored;
  if (name == "int8") return Matrices::int8;
  if (name == "bf16") return Matrices::bf16;
  throw Error(code::internal, "matrices: expected stored, int8 or bf16, got ", name, ".");
}

// loadWeights(refs: { path, offset, dtype, shape }[], { device?, matrices? }): WeightSet
Napi::Value load_weights(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return at_boundary(env, [&] {
    const auto array = info[0].As<Napi::Array>();
    std::vector<WeightRef> refs;
    for (uint32_t i = 0, count = array.Length(); i < count; i++) {
      const Napi::HandleScope scope(env);
      refs.push_back(to_ref(array.Get(i).As<Napi::Object>()));
    }
    // The deleter outlives the weights where somebody still remembers them, as the executor's backend does:
    // it must not own the executor any longer.
    const std::shared_ptr<Weights> weights(new Weights(refs, to_matrices(info[1])),
                                           [executor = executor_of(env, info[1])](Weights* unused) mutable {
                                             const std::shared_ptr<Executor> last = std::move(executor);
                                             last->release(std::shared_ptr<Weights>(unused));
                                           });
    Environment::of(env).watch(weights);
    return WeightSetHandle::create(env, weights);
  });
}

// compile(plan: ArrayBuffer, weights: WeightSet | null, { threads?, profile?, fast?, device? }): Program
Napi::Value compile(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return at_boundary(env, [&] {
    const auto options = info[2].As<Napi::Object>();
    const Napi::Value threads = options.Get("threads"), profile = options.Get("profile"),
                      fast = options.Get("fast");
    const int thread_count =
        threads.IsUndefined() ? default_threads() : threads.As<Napi::Number>().Int32Value();
    if (thread_count < 1 || thread_count > most_threads) {
      throw Error(code::invalid_argument, "threads: expected 1 to ", most_threads, ", got ", thread_count,
                  ".");
    }
    auto plan = info[0].As<Napi::ArrayBuffer>();
    const size_t bytes = plan.ByteLength();
    if (bytes % sizeof(uint32_t) != 0) throw Error(code::internal, "invalid plan: ", bytes, " bytes");
    std::vector<uint32_t> words(bytes / sizeof(uint32_t));
    if (bytes > 0) std::memcpy(words.data(), plan.Data(), bytes);
    std::shared_ptr<Weights> weights = WeightSetHandle::weights_of(info[1]);
    Plan checked = parse_plan(std::move(words), weights.get());
    return ProgramHandle::create(
        env, std::make_shared<Program>(
                 executor_of(env, options), std::move(checked), std::move(weights),
                 ProgramOptions{thread_count, profile.ToBoolean().Value(), fast.ToBoolean().Value()}));
  });
}

// releaseWorkspace({ device? }): undefined
Napi::Value release_workspace(const Napi::CallbackInfo& info) {
  return at_boundary(info.Env(), [&] {
    executor_of(info.Env(), info[0])->release_workspace();
    return info.Env().Undefined();
  });
}

// requireMemory(bytes, purpose): undefined, or OUT_OF_MEMORY; for what JavaScript is about to allocate
Napi::Value check_memory(const Napi::CallbackInfo& info) {
  return at_boundary(info.Env(), [&] {
    const std::string purpose = info[1].As<Napi::String>();
    require_memory(static_cast<uint64_t>(info[0].As<Napi::Number>().DoubleValue()), purpose.c_str());
    return info.Env().Undefined();
  });
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment(env);
  env.SetInstanceData(environment);
  environment->program_class = Napi::Persistent(ProgramHandle::define(env));
  environment->weight_set_class = Napi::Persistent(WeightSetHandle::define(env));
  exports["devices"] = Napi::Function::New<devices>(env, "devices");
  exports["loadWeights"] = Napi::Function::New<load_weights>(env, "loadWeights");
  exports["compile"] = Napi::Function::New<compile>(env, "compile");
  exports["requireMemory"] = Napi::Function::New<check_memory>(env, "requireMemory");
  exports["releaseWorkspace"] = Napi::Function::New<release_workspace>(env, "releaseWorkspace");
  return exports;
}

}  // namespace

}  // namespace tintype

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  return tintype::init(env, exports);
}
NODE_API_MODULE(tintype, init)
