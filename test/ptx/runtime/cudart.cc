// The functions of the CUDA runtime that native/cuda calls, as CUDA's documentation has them, for played
// GPUs.

#include <cuda.h>

#include <cstring>

#include "../interpreter/program.h"
#include "../interpreter/tensor_boxes.h"
#include "played_gpu.h"

using namespace tintype::ptx;

namespace {

thread_local int current = 0;
thread_local cudaError_t last_error = cudaSuccess;
thread_local std::string message;
thread_local Stream* capturing = nullptr;

cudaError_t keep(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

PlayedGpu& gpu() {
  return *Machine::the().gpus[static_cast<size_t>(current)];
}

Stream& of(cudaStream_t stream) {
  return *reinterpret_cast<Stream*>(stream);
}
Event& of(cudaEvent_t event) {
  return *reinterpret_cast<Event*>(event);
}

// Runs the body under the lock of the device, unless the call fails. `waits`: not allowed while launches are
// captured.
template <class Body>
cudaError_t call(const char* name, bool waits, Body body) {
  PlayedGpu& device = gpu();
  const std::lock_guard lock(device.mutex);
  cudaError_t error = enter(device, name);
  if (error == cudaSuccess && waits && capturing) error = cudaErrorStreamCaptureUnsupported;
  if (error == cudaSuccess) error = body(device);
  if (error == cudaSuccess) error = device.lost;
  return keep(error);
}

// --- the driver's tensor maps, of which we make two kinds

// What native/cuda says of all tensors: dense, of 16-bit elements, swizzled by 128 bytes.
bool is_known(CUtensorMapDataType type, const cuuint64_t* sizes, const cuuint64_t* strides, cuuint32_t rank,
              CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle, CUtensorMapFloatOOBfill outside) {
  cuuint64_t stride = 2;
  for (cuuint32_t i = 0; i + 1 < rank; i++) {
    stride *= sizes[i];
    if (strides[i] != stride) return false;
  }
  return type == CU_TENSOR_MAP_DATA_TYPE_UINT16 && interleave == CU_TENSOR_MAP_INTERLEAVE_NONE &&
         swizzle == CU_TENSOR_MAP_SWIZZLE_128B && outside == CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE;
}

// Fails as the calls of the runtime do, with errors of the driver.
CUresult store(CUtensorMap* map, const char* name, const tintype::cuda::BoxedTensor& tensor) {
  PlayedGpu& device = gpu();
  const std::lock_guard lock(device.mutex);
  if (const cudaError_t error = enter(device, name)) return static_cast<CUresult>(error);
  if (wrong_with(tensor)) return CUDA_ERROR_INVALID_VALUE;
  const tintype::cuda::TensorMap made = make_map(tensor);
  std::memcpy(map, &made, sizeof made);
  return CUDA_SUCCESS;
}

CUresult encode_tiled(CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank, void* data,
                      const cuuint64_t* sizes, const cuuint64_t* strides, const cuuint32_t* box,
                      const cuuint32_t* steps, CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle,
                      CUtensorMapL2promotion, CUtensorMapFloatOOBfill outside) {
  if (rank != 2 || !is_known(type, sizes, strides, rank, interleave, swizzle, outside) ||
      box[0] != tintype::cuda::box_columns || steps[0] != 1 || steps[1] != 1) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  return store(map, "cuTensorMapEncodeTiled",
               {data,
                2,
                {static_cast<int64_t>(sizes[0]), static_cast<int64_t>(sizes[1]), 1, 1},
                static_cast<int>(box[1]),
                false,
                {},
                {},
                1});
}

CUresult encode_im2col(CUtensorMap* map, CUtensorMapDataType type, cuuint32_t rank, void* data,
                       const cuuint64_t* sizes, const cuuint64_t* strides, const int* first, const int* last,
                       cuuint32_t channels, cuuint32_t pixels, const cuuint32_t* steps,
                       CUtensorMapInterleave interleave, CUtensorMapSwizzle swizzle, CUtensorMapL2promotion,
                       CUtensorMapFloatOOBfill outside) {
  if (rank != 4 || !is_known(type, sizes, strides, rank, interleave, swizzle, outside) ||
      channels != tintype::cuda::box_columns || steps[0] != 1 || steps[1] != steps[2] || steps[3] != 1) {
    return CUDA_ERROR_INVALID_VALUE;
  }
  tintype::cuda::BoxedTensor tensor = {data,
                                       4,
                                       {},
                                       static_cast<int>(pixels),
                                       true,
                                       {first[0], first[1]},
                                       {last[0], last[1]},
                                       static_cast<int>(steps[1])};
  for (int i = 0; i < 4; i++) tensor.sizes[i] = static_cast<int64_t>(sizes[i]);
  return store(map, "cuTensorMapEncodeIm2col", tensor);
}

}  // namespace

extern "C" {

cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** function, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult* result) {
  *function = nullptr;
  *result = cudaDriverEntryPointSymbolNotFound;
  const cudaError_t error = call("cudaGetDriverEntryPointByVersion", false, [&](PlayedGpu&) {
    if (!std::strcmp(name, "cuTensorMapEncodeTiled")) *function = reinterpret_cast<void*>(encode_tiled);
    if (!std::strcmp(name, "cuTensorMapEncodeIm2col")) *function = reinterpret_cast<void*>(encode_im2col);
    if (*function) *result = cudaDriverEntryPointSuccess;
    return cudaSuccess;
  });
  // A name that the driver lacks is no error of the call.
  return error == cudaErrorSymbolNotFound ? cudaSuccess : error;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  const Machine& machine = Machine::the();
  if (machine.driver < CUDART_VERSION / 1000 * 1000) return keep(cudaErrorInsufficientDriver);
  if (!machine.is_hidden) *count = static_cast<int>(machine.gpus.size());
  return *count == 0 ? keep(cudaErrorNoDevice) : cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = Machine::the().driver;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorIllegalAddress:
      message =
          "an illegal memory access was encountered" + (gpu().why.empty() ? "" : " (" + gpu().why + ")");
      return message.c_str();
    default:
      message = "error " + std::to_string(error);
      return message.c_str();
  }
}

cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= static_cast<int>(Machine::the().gpus.size()))
    return keep(cudaErrorInvalidDevice);
  current = device;
  return call("cudaSetDevice", false, [](PlayedGpu&) { return cudaSuccess; });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  const GpuModel& model = Machine::the().gpus[static_cast<size_t>(device)]->model;
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor:
      *value = model.architecture / 10;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = model.architecture % 10;
      return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
      *value = model.processors;
      return cudaSuccess;
    default:
      return keep(cudaErrorInvalidValue);
  }
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  PlayedGpu& asked = *Machine::the().gpus[static_cast<size_t>(device)];
  const std::lock_guard lock(asked.mutex);
  const cudaError_t error = enter(asked, "cudaGetDeviceProperties");
  if (error != cudaSuccess) return keep(error);
  const GpuModel& model = asked.model;
  *properties = {};
  std::strcpy(properties->name, "interpreted GPU");
  properties->major = model.architecture / 10;
  properties->minor = model.architecture % 10;
  properties->totalGlobalMem = model.memory;
  return cudaSuccess;
}

// --- memory

cudaError_t cudaMemGetInfo(size_t* available, size_t* total) {
  return call("cudaMemGetInfo", false, [&](PlayedGpu& device) {
    *available = device.model.memory - device.used;
    *total = device.model.memory;
    return cudaSuccess;
  });
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  return call("cudaMalloc", true, [&](PlayedGpu& device) {
    if (device.used + bytes > device.model.memory) return cudaErrorMemoryAllocation;
    *memory = device.memory.allocate(bytes, "allocation " + std::to_string(device.calls["cudaMalloc"]));
    device.allocated[*memory] = bytes;
    device.used += bytes;
    return cudaSuccess;
  });
}

// Waits for all that is under way.
cudaError_t cudaFree(void* memory) {
  return call("cudaFree", true, [&](PlayedGpu& device) {
    device.settle_all();
    const auto found = device.allocated.find(memory);
    if (found == device.allocated.end()) return memory ? cudaErrorInvalidValue : cudaSuccess;
    device.used -= found->second;
    device.allocated.erase(found);
    device.memory.free(memory);
    return cudaSuccess;
  });
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  return call("cudaMallocHost", true, [&](PlayedGpu& device) {
    *memory = std::malloc(bytes);
    std::memset(*memory, 0xff, bytes);
    device.pinned.insert(*memory);
    return cudaSuccess;
  });
}

cudaError_t cudaFreeHost(void* memory) {
  return call("cudaFreeHost", true, [&](PlayedGpu& device) {
    device.settle_all();
    if (device.pinned.erase(memory) == 0) return cudaErrorInvalidValue;
    std::free(memory);
    return cudaSuccess;
  });
}

// From and to memory that is not pinned the host waits, as CUDA does in effect.
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return call("cudaMemcpyAsync", false, [&](PlayedGpu& device) {
    if (capturing) return cudaErrorStreamCaptureUnsupported;
    const void* on_device = kind == cudaMemcpyHostToDevice ? to : from;
    const void* on_host = kind == cudaMemcpyHostToDevice ? from : to;
    if (device.memory.find(reinterpret_cast<uint64_t>(on_device), static_cast<uint32_t>(bytes), 0) < 0)
      return cudaErrorInvalidValue;
    device.submit(of(stream), {.is_copy = true, .run = [=] { std::memcpy(to, from, bytes); }});
    if (!device.pinned.contains(const_cast<void*>(on_host))) device.settle(of(stream));
    return cudaSuccess;
  });
}

// --- streams and events

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  return call("cudaStreamCreateWithFlags", false, [&](PlayedGpu& device) {
    auto* made = new Stream;
    device.streams.insert(made);
    *stream = reinterpret_cast<cudaStream_t>(made);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return call("cudaStreamDestroy", false, [&](PlayedGpu& device) {
    device.settle(of(stream));
    device.streams.erase(&of(stream));
    delete &of(stream);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return call("cudaStreamSynchronize", true, [&](PlayedGpu& device) {
    device.settle(of(stream));
    return cudaSuccess;
  });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  return call("cudaStreamWaitEvent", false, [&](PlayedGpu& device) {
    device.submit(of(stream), {.run = {}, .awaited = event, .times = of(event).recorded});
    return cudaSuccess;
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  return call("cudaEventCreateWithFlags", false, [&](PlayedGpu&) {
    *event = reinterpret_cast<cudaEvent_t>(new Event);
    return cudaSuccess;
  });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return call("cudaEventDestroy", false, [&](PlayedGpu& device) {
    device.settle(of(event));
    delete &of(event);
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return call("cudaEventRecord", false, [&](PlayedGpu& device) {
    of(event).stream = &of(stream);
    const uint64_t time = ++of(event).recorded;
    device.submit(of(stream), {.run = [=] { of(event).passed = time; }});
    return cudaSuccess;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return call("cudaEventSynchronize", true, [&](PlayedGpu& device) {
    device.settle(of(event));
    return cudaSuccess;
  });
}

// --- kernels

// `code` names the precision: the .ptx files are those of a folder for it.
cudaError_t cudaLibraryLoadData(cudaLibrary_t* library, const void* code, cudaJitOption*, void**, unsigned,
                                cudaLibraryOption*, void**, unsigned) {
  return call("cudaLibraryLoadData", false, [&](PlayedGpu&) {
    *library = reinterpret_cast<cudaLibrary_t>(new Library{static_cast<const char*>(code), {}});
    return cudaSuccess;
  });
}

cudaError_t cudaLibraryUnload(cudaLibrary_t library) {
  return call("cudaLibraryUnload", true, [&](PlayedGpu& device) {
    device.settle_all();
    delete reinterpret_cast<Library*>(library);
    return cudaSuccess;
  });
}

cudaError_t cudaLibraryGetKernel(cudaKernel_t* kernel, cudaLibrary_t library, const char* name) {
  return call("cudaLibraryGetKernel", false, [&](PlayedGpu& device) {
    auto& [precision, kernels] = *reinterpret_cast<Library*>(library);
    if (precision.empty()) return cudaErrorSymbolNotFound;
    const std::string folder =
        Machine::the().ptx + "/sm_" + std::to_string(device.model.architecture) + "/" + precision;
    auto& known = kernels[name];
    if (!known) {
      const Kernel* found = Program::in_folder(folder).find(name);
      if (!found) return cudaErrorSymbolNotFound;
      known = std::make_unique<Kernel_>(name, found);
    }
    *kernel = reinterpret_cast<cudaKernel_t>(known.get());
    return cudaSuccess;
  });
}

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute, int value) {
  return call("cudaFuncSetAttribute", false, [&](PlayedGpu& device) {
    if (static_cast<size_t>(value) > shared_bytes_of(device.model.architecture)) return cudaErrorInvalidValue;
    static_cast<Kernel_*>(const_cast<void*>(kernel))->shared_limit = static_cast<size_t>(value);
    return cudaSuccess;
  });
}

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* kernel, void** args) {
  return call("cudaLaunchKernelExC", false, [&](PlayedGpu& device) {
    auto& launched = *static_cast<Kernel_*>(const_cast<void*>(kernel));
    if (config->dynamicSmemBytes > launched.shared_limit) return cudaErrorInvalidValue;
    const char* bytes = static_cast<const char*>(args[0]);
    Recorded recorded = {&launched,
                         {config->gridDim.x, config->gridDim.y, config->gridDim.z},
                         config->blockDim.x,
                         config->dynamicSmemBytes,
                         {bytes, bytes + launched.kernel->param_bytes}};
    Stream& stream = of(config->stream);
    if (stream.capture) {
      // Its first launch loads a kernel, which a capture need not survive.
      if (!launched.is_loaded) return cudaErrorStreamCaptureUnsupported;
      stream.capture->launches.push_back(std::move(recorded));
      return cudaSuccess;
    }
    launched.is_loaded = true;
    device.submit(stream, {.run = [&device, recorded = std::move(recorded)] { device.execute(recorded); }});
    return cudaSuccess;
  });
}

// --- graphs

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return call("cudaStreamBeginCapture", true, [&](PlayedGpu&) {
    if (mode != cudaStreamCaptureModeThreadLocal) return cudaErrorInvalidValue;
    of(stream).capture = std::make_unique<Graph>();
    capturing = &of(stream);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (capturing == &of(stream)) capturing = nullptr;
  *graph = nullptr;
  return call("cudaStreamEndCapture", false, [&](PlayedGpu&) {
    if (!of(stream).capture) return cudaErrorIllegalState;
    *graph = reinterpret_cast<cudaGraph_t>(of(stream).capture.release());
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  return call("cudaGraphInstantiate", true, [&](PlayedGpu&) {
    *exec = reinterpret_cast<cudaGraphExec_t>(new Graph(*reinterpret_cast<Graph*>(graph)));
    return cudaSuccess;
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete reinterpret_cast<Graph*>(graph);
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  return call("cudaGraphExecDestroy", false, [&](PlayedGpu& device) {
    device.settle_all();
    delete reinterpret_cast<Graph*>(exec);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  return call("cudaGraphLaunch", false, [&](PlayedGpu& device) {
    const Graph& graph = *reinterpret_cast<Graph*>(exec);
    for (const Recorded& recorded : graph.launches) {
      device.submit(of(stream), {.run = [&device, &recorded] { device.execute(recorded); }});
    }
    return cudaSuccess;
  });
}

}  // extern "C"
