#include "device.h"

#include <algorithm>
#include <cstring>

#include "../errors.h"

namespace tintype::cuda {

namespace {

std::string version_text(int version) {
  return text(version / 1000, ".", version % 1000 / 10);
}

// After these a context answers nothing any more: the CUDA runtime asks for a new process.
bool is_fatal(cudaError_t error) {
  constexpr cudaError_t fatal[] = {
    cudaErrorIllegalAddress,
    cudaErrorLaunchTimeout,
    cudaErrorIllegalInstruction,
    cudaErrorMisalignedAddress,
    cudaErrorInvalidAddressSpace,
    cudaErrorInvalidPc,
    cudaErrorLaunchFailure,
    cudaErrorECCUncorrectable,
    cudaErrorHardwareStackError,
    cudaErrorContextIsDestroyed,
    cudaErrorAssert,
    cudaErrorMpsClientTerminated,
    cudaErrorExternalDevice,
#if CUDART_VERSION >= 13000
    cudaErrorContained,
    cudaErrorTensorMemoryLeak,
#endif
    cudaErrorUnknown
  };
  return std::find(std::begin(fatal), std::end(fatal), error) != std::end(fatal);
}

// These say that a GPU cannot be used as it is: another process has it to itself, or no code is for it.
bool is_unavailable(cudaError_t error) {
  return error == cudaErrorDevicesUnavailable || error == cudaErrorNoKernelImageForDevice;
}

// The oldest driver for this runtime, by NVIDIA's table of compatibility between minor versions.
static_assert(CUDART_VERSION >= 12000 && CUDART_VERSION < 14000, "name the oldest driver for this CUDA");
constexpr const char* oldest_driver = CUDART_VERSION >= 13000 ? "580" : "525";

std::span<const void* const> modules_of(Precision precision) {
  switch (precision) {
    case Precision::bf16:
      return bf16_modules();
    case Precision::fast:
      return fast_modules();
    default:
      return f16_modules();
  }
}

double mebibytes(size_t bytes) {
  return static_cast<double>(bytes >> 10) / 1024;
}

}  // namespace

int device_count() {
  int count = 0, driver = 0, runtime = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count > 0) return count;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  if (driver == 0) {
    throw Error(code::device_unavailable, "There is no NVIDIA driver (", oldest_driver,
                " or later is needed).");
  }
  if (error == cudaErrorInsufficientDriver) {
    throw Error(code::device_unavailable, "The NVIDIA driver is too old: it is for CUDA ",
                version_text(driver), ", CUDA ", version_text(runtime), " needs driver ", oldest_driver,
                " or later.");
  }
  throw Error(code::device_unavailable, "There is no NVIDIA GPU: ", cudaGetErrorString(error), ".");
}

void Device::check(cudaError_t error, const char* doing) {
  if (error == cudaSuccess) return;
  const std::string message = text(doing, " on cuda:", number_, " failed: ", cudaGetErrorString(error), ".");
  cudaGetLastError();
  if (is_fatal(error)) lost_ = message;
  if (error == cudaErrorMemoryAllocation) throw Error(code::out_of_memory, message);
  if (is_unavailable(error)) throw Error(code::device_unavailable, message);
  throw Error(lost_.empty() ? code::internal : code::device_lost, message);
}

// The device is a property of the thread.
void Device::use() {
  if (!lost_.empty()) {
    throw Error(code::device_lost, "cuda:", number_, " has stopped working: ", lost_,
                " Start a new process to use it.");
  }
  check(cudaSetDevice(number_), "Choosing the device");
}

Device::Device(int number) : number_(number) {
  if (number < 0 || number >= device_count()) {
    throw Error(code::device_unavailable, "There is no GPU cuda:", number, ".");
  }
  try {
    open();
  } catch (...) {
    close();
    throw;
  }
}

void Device::open() {
  use();
  const int number = number_;
  int major = 0, minor = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, number),
        "Asking for the architecture");
  check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, number),
        "Asking for the architecture");
  check(cudaDeviceGetAttribute(&gpu_.processors, cudaDevAttrMultiProcessorCount, number),
        "Counting processors");
  gpu_.architecture = major * 10 + minor;
  if (gpu_.architecture < 75) {
    throw Error(code::device_unavailable, "cuda:", number, " is of compute capability ", major, ".", minor,
                ", 7.5 (Turing) or later is needed.");
  }
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "Creating a stream");
  // A thread that waits sleeps.
  constexpr unsigned flags = cudaEventDisableTiming | cudaEventBlockingSync;
  for (Staging& staging : stagings_) {
    check(cudaEventCreateWithFlags(&staging.sent, flags), "Creating an event");
  }
  for (cudaEvent_t& event : marks_) check(cudaEventCreateWithFlags(&event, flags), "Creating an event");
}

Device::~Device() {
  close();
}

// Of a device that is lost nothing can be given back.
void Device::close() noexcept {
  cudaSetDevice(number_);
  if (stream_) cudaStreamSynchronize(stream_);
  for (const Staging& staging : stagings_) {
    if (staging.pinned) cudaFreeHost(staging.pinned);
    if (staging.sent) cudaEventDestroy(staging.sent);
  }
  for (const cudaEvent_t event : marks_) {
    if (event) cudaEventDestroy(event);
  }
  for (const Kernels& kernels : kernels_) {
    for (const cudaLibrary_t library : kernels.libraries) cudaLibraryUnload(library);
  }
  if (stream_) cudaStreamDestroy(stream_);
  cudaGetLastError();
}

void* Device::allocate(size_t bytes, const char* what) {
  use();
  void* memory = nullptr;
  const cudaError_t error = cudaMalloc(&memory, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    size_t available = 0, total = 0;
    cudaMemGetInfo(&available, &total);
    throw Error(code::out_of_memory, what, " needs ", mebibytes(bytes), " MiB on cuda:", number_, "; ",
                mebibytes(available), " MiB of ", mebibytes(total), " MiB are free.");
  }
  check(error, "Allocating memory");
  return memory;
}

void Device::free(void* memory) noexcept {
  // Waits for what still uses it. Errors have been told by what caused them.
  if (cudaSetDevice(number_) == cudaSuccess) cudaFree(memory);
  cudaGetLastError();
}

void Device::reserve(Staging& staging, size_t bytes) {
  if (staging.bytes >= bytes) return;
  if (staging.pinned) check(cudaFreeHost(staging.pinned), "Freeing pinned memory");
  staging.pinned = nullptr;
  staging.bytes = 0;
  staging.pageable = {};
  const cudaError_t error = cudaMallocHost(&staging.pinned, bytes);
  if (error != cudaSuccess) {
    // Containers may limit how much memory can be pinned.
    if (is_fatal(error)) check(error, "Allocating pinned memory");
    cudaGetLastError();
    staging.pinned = nullptr;
    staging.pageable.resize(bytes);
  }
  staging.bytes = bytes;
}

void* Device::staging(size_t bytes) {
  use();
  filled_ = 1 - filled_;
  Staging& staging = stagings_[filled_];
  check(cudaEventSynchronize(staging.sent), "Sending to the device");
  reserve(staging, bytes);
  return staging.data();
}

void Device::upload(void* to, size_t bytes) {
  use();
  Staging& staging = stagings_[filled_];
  check(cudaMemcpyAsync(to, staging.data(), bytes, cudaMemcpyHostToDevice, stream_), "Sending to the device");
  check(cudaEventRecord(staging.sent, stream_), "Sending to the device");
}

void Device::download(void* to, const void* from, size_t bytes) {
  use();
  Staging& staging = stagings_[filled_];
  check(cudaEventSynchronize(staging.sent), "Sending to the device");
  reserve(staging, bytes);
  check(cudaMemcpyAsync(staging.data(), from, bytes, cudaMemcpyDeviceToHost, stream_),
        "Reading from the device");
  check(cudaEventRecord(staging.sent, stream_), "Reading from the device");
  check(cudaEventSynchronize(staging.sent), "Computing");
  std::memcpy(to, staging.data(), bytes);
}

void Device::load(Kernels& kernels, Precision precision) {
  const std::span<const void* const> modules = modules_of(precision);
  // Where one could not be loaded, the next attempt goes on with it.
  while (kernels.libraries.size() < modules.size()) {
    cudaLibrary_t library = nullptr;
    check(cudaLibraryLoadData(&library, modules[kernels.libraries.size()], nullptr, nullptr, 0, nullptr,
                              nullptr, 0),
          "Loading the kernels");
    kernels.libraries.push_back(library);
  }
}

Device::LoadedKernel* Device::find(const char* name, Precision precision) {
  Kernels& kernels = kernels_[static_cast<int>(precision)];
  const auto known = kernels.known.find(name);
  if (known != kernels.known.end()) return known->second.kernel ? &known->second : nullptr;
  load(kernels, precision);
  for (const cudaLibrary_t library : kernels.libraries) {
    cudaKernel_t found = nullptr;
    const cudaError_t error = cudaLibraryGetKernel(&found, library, name);
    if (error == cudaErrorSymbolNotFound) {
      cudaGetLastError();
      continue;
    }
    check(error, "Looking for a kernel");
    constexpr size_t without_asking = 48 << 10;
    return &kernels.known.emplace(name, LoadedKernel{found, without_asking}).first->second;
  }
  kernels.known.emplace(name, LoadedKernel{});  // nobody need look again
  return nullptr;
}

cudaKernel_t Device::kernel(const Launch& launch, Precision precision) {
  LoadedKernel* known = find(launch.kernel, precision);
  if (!known && precision == Precision::fast) known = find(launch.kernel, Precision::f16);
  if (!known) throw Error(code::internal, "there is no kernel ", launch.kernel);
  if (launch.shared_bytes > known->shared_bytes) {
    check(cudaFuncSetAttribute(static_cast<const void*>(known->kernel),
                               cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(launch.shared_bytes)),
          "Asking for shared memory");
    known->shared_bytes = launch.shared_bytes;
  }
  return known->kernel;
}

void Device::launch(const Launch& launch, Precision precision) {
  use();
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(launch.grid.x, launch.grid.y, launch.grid.z);
  config.blockDim = dim3(launch.threads);
  config.dynamicSmemBytes = launch.shared_bytes;
  config.stream = stream_;
  void* args[] = {const_cast<void*>(launch.args)};
  check(cudaLaunchKernelExC(&config, static_cast<const void*>(kernel(launch, precision)), args),
        launch.kernel);
}

std::unique_ptr<LaunchGraph> Device::capture(const std::function<void()>& launches) {
  use();
  check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "Capturing");
  cudaGraph_t graph = nullptr;
  try {
    launches();
  } catch (...) {
    // The stream is of no use while it captures.
    cudaStreamEndCapture(stream_, &graph);
    if (graph) cudaGraphDestroy(graph);
    cudaGetLastError();
    throw;
  }
  check(cudaStreamEndCapture(stream_, &graph), "Capturing");
  cudaGraphExec_t exec = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&exec, graph, 0);
  cudaGraphDestroy(graph);
  check(error, "Capturing");
  return std::make_unique<LaunchGraph>(exec);
}

void Device::replay(const LaunchGraph& graph) {
  use();
  check(cudaGraphLaunch(graph.exec, stream_), "Computing");
}

void* Device::driver_function(const char* name) {
  use();
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result{};
  check(cudaGetDriverEntryPointByVersion(name, &found, 12000, cudaEnableDefault, &result),
        "Looking for a function of the driver");
  if (result != cudaDriverEntryPointSuccess) {
    throw Error(code::device_unavailable, "The NVIDIA driver has no ", name, " (", oldest_driver,
                " or later has it).");
  }
  return found;
}

void Device::mark() {
  use();
  check(cudaEventRecord(marks_[marked_++ % most_pending], stream_), "Computing");
}

void Device::wait(int pending) {
  use();
  if (marked_ <= static_cast<uint64_t>(pending)) return;
  check(cudaEventSynchronize(marks_[(marked_ - 1 - static_cast<uint64_t>(pending)) % most_pending]),
        "Computing");
}

}  // namespace tintype::cuda
