// What the tests call: launches and ops on the interpreted device.
#include <napi.h>

#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "interpreter/tensor_boxes.h"
#include "op.h"
#include "planned_launch.h"

namespace tintype::ptx {

namespace {

uint32_t number(const Napi::Value& value) {
  return value.As<Napi::Number>().Uint32Value();
}
std::string text(const Napi::Value& value) {
  return value.As<Napi::String>().Utf8Value();
}

const Module& module_at(const std::string& path) {
  static std::map<std::string, Module> modules;
  const auto known = modules.find(path);
  if (known != modules.end()) return known->second;
  std::ifstream file(path);
  if (!file) throw Fault("cannot read " + path);
  std::stringstream text;
  text << file.rdbuf();
  return modules.emplace(path, Module(text.str())).first->second;
}

// C++ exceptions end here.
template <class F>
Napi::Value guarded(Napi::Env env, F f) {
  try {
    return f();
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& e) {
    throw Napi::Error::New(env, e.what());
  }
}

// Maps of rows are {buffer, boxRows, rows, columns}, those of patches {buffer, boxRows, n, h, w, ...}.
cuda::TensorMap map_of(const Napi::Object& map, const std::vector<void*>& pointers) {
  const auto of = [&](const char* name) { return map.Get(name).As<Napi::Number>().Int32Value(); };
  const void* data = pointers.at(static_cast<size_t>(of("buffer")));
  cuda::BoxedTensor tensor =
      map.Has("rows")
          ? cuda::boxed_rows(data, of("rows"), of("columns"))
          : cuda::boxed_patches(data, {of("n"), of("h"), of("w"), of("c"), of("ho"), of("wo"), of("kh"),
                                       of("kw"), of("stride"), of("padTop"), of("padLeft")});
  tensor.box_rows = of("boxRows");
  if (const char* wrong = wrong_with(tensor)) throw Fault(wrong);
  return make_map(tensor);
}

// Arguments of a kernel: pointers, and behind them tensor maps, or zeros where null is given for one.
std::vector<char> arguments(const std::vector<void*>& pointers, const Napi::Value& maps) {
  std::vector<char> bytes(pointers.size() * sizeof(void*));
  std::memcpy(bytes.data(), pointers.data(), bytes.size());
  if (!maps.IsArray()) return bytes;
  const auto list = maps.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) {
    const Napi::Value map = list.Get(i);
    const auto made = map.IsNull() ? cuda::TensorMap{} : map_of(map.As<Napi::Object>(), pointers);
    const size_t at =
        (bytes.size() + alignof(cuda::TensorMap) - 1) / alignof(cuda::TensorMap) * alignof(cuda::TensorMap);
    bytes.resize(at + sizeof made);
    std::memcpy(bytes.data() + at, &made, sizeof made);
  }
  return bytes;
}

// launch(path, kernel, blocks, threads, sharedBytes, order, buffers, maps?): the kernel gets a pointer to a
// copy of each buffer, and the buffers what it left there.
Napi::Value launch(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto name = text(info[1]);
    const auto buffers = info[6].As<Napi::Array>();
    DeviceMemory memory;
    std::vector<void*> pointers;
    for (uint32_t i = 0; i < buffers.Length(); i++) {
      auto buffer = buffers.Get(i).As<Napi::Uint8Array>();
      pointers.push_back(memory.allocate(buffer.ByteLength(), "buffer " + std::to_string(i)));
      std::memcpy(pointers.back(), buffer.Data(), buffer.ByteLength());
    }
    const std::vector<char> args = arguments(pointers, info[7]);
    const cuda::Launch launch = {name.c_str(),    {number(info[2])}, number(info[3]),
                                 number(info[4]), args.data(),       args.size()};
    const Options options = {.order = static_cast<WarpOrder>(number(info[5]))};
    const Kernel* kernel = module_at(text(info[0])).find(name);
    if (!kernel) throw Fault("no kernel " + name);
    execute(*kernel, launch, memory, options);
    for (uint32_t i = 0; i < buffers.Length(); i++) {
      auto buffer = buffers.Get(i).As<Napi::Uint8Array>();
      std::memcpy(buffer.Data(), pointers[i], buffer.ByteLength());
    }
    return info.Env().Undefined();
  });
}

Napi::Object to_object(Napi::Env env, const InterpretedGpu::Launched& launched) {
  const Statistics& s = launched.statistics;
  auto object = Napi::Object::New(env);
  object["kernel"] = launched.kernel;
  object["threadInstructions"] = static_cast<double>(s.thread_instructions);
  object["sharedWavefronts"] = static_cast<double>(s.shared_wavefronts);
  object["sharedIdeal"] = static_cast<double>(s.shared_ideal);
  object["globalSectors"] = static_cast<double>(s.global_sectors);
  object["globalIdeal"] = static_cast<double>(s.global_ideal);
  auto kinds = Napi::Object::New(env);
  for (size_t i = 0; i < kind_names.size(); i++)
    kinds[kind_names[i]] = static_cast<double>(s.warp_instructions[i]);
  object["warpInstructions"] = kinds;
  return object;
}

// runOp({folders, architecture, processors, isFast, element, order}, words, operands): operands are {bytes,
// dtype}.
// Returns what was launched.
Napi::Value run(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto target = info[0].As<Napi::Object>();
    const auto words = info[1].As<Napi::Uint32Array>();
    const auto list = info[2].As<Napi::Array>();
    std::vector<HostOperand> operands;
    for (uint32_t i = 0; i < list.Length(); i++) {
      const auto operand = list.Get(i).As<Napi::Object>();
      auto bytes = operand.Get("bytes").As<Napi::Uint8Array>();
      operands.push_back(
          {bytes.Data(), bytes.ByteLength(), static_cast<DType>(number(operand.Get("dtype")))});
    }
    const cuda::Gpu model = {static_cast<int>(number(target.Get("architecture"))),
                             static_cast<int>(number(target.Get("processors"))),
                             target.Get("isFast").ToBoolean()};
    const auto order = static_cast<WarpOrder>(number(target.Get("order")));
    // Forward is for the ledger: blocks one after the other, so that it is always the same one that arrives
    // last.
    const Options options = {.order = order, .threads = order == WarpOrder::forward ? 1 : 2};
    const auto folders = target.Get("folders").As<Napi::Array>();
    std::vector<const Program*> programs;
    for (uint32_t i = 0; i < folders.Length(); i++)
      programs.push_back(&Program::in_folder(text(folders.Get(i))));
    InterpretedGpu gpu(std::move(programs), model, options);
    const DType element = static_cast<DType>(number(target.Get("element")));
    run_op(gpu, {words.Data(), words.Data() + words.ElementLength()}, operands, element);
    auto launched = Napi::Array::New(info.Env());
    for (const auto& l : gpu.launched()) launched.Set(launched.Length(), to_object(info.Env(), l));
    return Napi::Value(launched);
  });
}

// launchesOf(architecture, processors, words, isFast?): what an op would launch there.
Napi::Value launches_of(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const cuda::Gpu gpu = {static_cast<int>(number(info[0])), static_cast<int>(number(info[1])),
                           info[3].ToBoolean()};
    const auto words = info[2].As<Napi::Uint32Array>();
    auto launches = Napi::Array::New(info.Env());
    for (const auto& l : planned_launches(gpu, {words.Data(), words.Data() + words.ElementLength()})) {
      auto object = Napi::Object::New(info.Env());
      object["kernel"] = l.kernel;
      object["blocks"] = static_cast<double>(l.grid.x) * l.grid.y * l.grid.z;
      object["threads"] = l.threads;
      object["sharedBytes"] = static_cast<double>(l.shared_bytes);
      launches.Set(launches.Length(), object);
    }
    return Napi::Value(launches);
  });
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports["launch"] = Napi::Function::New(env, launch);
  exports["runOp"] = Napi::Function::New(env, run);
  exports["launchesOf"] = Napi::Function::New(env, launches_of);
  return exports;
}

}  // namespace

NODE_API_MODULE(device, initialize)

}  // namespace tintype::ptx
