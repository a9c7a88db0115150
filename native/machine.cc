#include "machine.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

#include "errors.h"

#if defined(_WIN32)
#include <windows.h>
#elif defined(__APPLE__)
#include <mach/mach.h>
#include <sys/sysctl.h>
#else
#include <sched.h>
#endif

namespace tintype {

#if defined(__linux__)

namespace {

constexpr uint64_t unlimited = std::numeric_limits<uint64_t>::max();

std::optional<double> number_in(const std::string& path, const std::string& key = "") {
  std::ifstream file(path);
  std::string word;
  while (!key.empty() && file >> word && word != key) continue;
  double value;
  if (!(file >> value)) return std::nullopt;  // also the word "max"
  return value;
}

// Directories of this process's control groups, innermost first: the limits of all of them hold. Inside a
// container often only the root of the mount is visible, which is then the container's own group.
std::vector<std::string> control_groups(const std::string& controller, bool version2) {
  std::vector<std::string> result;
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    std::istringstream names(line.substr(first + 1, second - first - 1));
    bool named = version2 && names.str().empty();
    for (std::string name; std::getline(names, name, ',');)
      named = named || (!version2 && name == controller);
    if (!named) continue;
    const std::string root = version2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/" + controller;
    for (std::string path = line.substr(second + 1); !path.empty(); path.resize(path.rfind('/'))) {
      if (path != "/") result.push_back(root + path);
    }
    result.push_back(root);
  }
  return result;
}

double cpu_quota() {
  double cores = std::numeric_limits<double>::infinity();
  for (const std::string& group : control_groups("cpu", true)) {
    std::ifstream file(group + "/cpu.max");
    double quota, period;
    if (file >> quota >> period) cores = std::min(cores, quota / period);
  }
  for (const std::string& group : control_groups("cpu", false)) {
    const auto quota = number_in(group + "/cpu.cfs_quota_us"),
               period = number_in(group + "/cpu.cfs_period_us");
    if (quota && period && *quota > 0) cores = std::min(cores, *quota / *period);
  }
  return cores;
}

// What a group may still take: file cache that it is charged for is given back under pressure.
double memory_left(std::optional<double> limit, std::optional<double> usage, const std::string& stat) {
  if (!limit || !usage) return static_cast<double>(unlimited);
  const double cache =
      number_in(stat, "inactive_file").value_or(0) + number_in(stat, "active_file").value_or(0);
  return std::max(0.0, *limit - *usage + cache);
}

}  // namespace

int available_cores() {
  cpu_set_t set;
  int cores = static_cast<int>(std::thread::hardware_concurrency());
  if (sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
  return std::max(1, static_cast<int>(std::min<double>(cores, std::ceil(cpu_quota()))));
}

uint64_t available_memory() {
  double left = static_cast<double>(unlimited);
  if (const auto kib = number_in("/proc/meminfo", "MemAvailable:")) left = *kib * 1024;
  for (const std::string& group : control_groups("memory", true)) {
    left = std::min(left, memory_left(number_in(group + "/memory.max"), number_in(group + "/memory.current"),
                                      group + "/memory.stat"));
  }
  for (const std::string& group : control_groups("memory", false)) {
    left = std::min(left, memory_left(number_in(group + "/memory.limit_in_bytes"),
                                      number_in(group + "/memory.usage_in_bytes"), group + "/memory.stat"));
  }
  return left >= static_cast<double>(unlimited) ? unlimited : static_cast<uint64_t>(left);
}

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "CPU";
}

uint64_t l2_bytes() {
  // index0 and index1 are those of the first level.
  const auto kib = number_in("/sys/devices/system/cpu/cpu0/cache/index2/size");
  return static_cast<uint64_t>(kib.value_or(0)) * 1024;
}

#elif defined(__APPLE__)

int available_cores() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

uint64_t available_memory() {
  vm_statistics64_data_t stats;
  mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
  if (host_statistics64(mach_host_self(), HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&stats), &count) !=
      KERN_SUCCESS) {
    return std::numeric_limits<uint64_t>::max();
  }
  return (uint64_t{stats.free_count} + stats.inactive_count + stats.purgeable_count) * vm_page_size;
}

std::string cpu_name() {
  char name[256] = "CPU";
  size_t size = sizeof name;
  sysctlbyname("machdep.cpu.brand_string", name, &size, nullptr, 0);
  return name;
}

uint64_t l2_bytes() {
  uint64_t bytes = 0;
  size_t size = sizeof bytes;
  if (sysctlbyname("hw.l2cachesize", &bytes, &size, nullptr, 0) != 0) return 0;
  return bytes;
}

#else

int available_cores() {
  DWORD_PTR process = 0, system = 0;
  int cores = 0;
  if (GetProcessAffinityMask(GetCurrentProcess(), &process, &system)) {
    for (; process != 0; process &= process - 1) cores++;
  }
  return std::max(1, cores);
}

uint64_t available_memory() {
  MEMORYSTATUSEX status{};
  status.dwLength = sizeof status;
  if (!GlobalMemoryStatusEx(&status)) return std::numeric_limits<uint64_t>::max();
  return std::min<uint64_t>(status.ullAvailPageFile, status.ullAvailVirtual);
}

std::string cpu_name() {
  char name[256] = "CPU";
  DWORD size = sizeof name;
  RegGetValueA(HKEY_LOCAL_MACHINE, "HARDWARE\\DESCRIPTION\\System\\CentralProcessor\\0",
               "ProcessorNameString", RRF_RT_REG_SZ, nullptr, name, &size);
  return name;
}

uint64_t l2_bytes() {
  DWORD size = 0;
  GetLogicalProcessorInformation(nullptr, &size);
  std::vector<SYSTEM_LOGICAL_PROCESSOR_INFORMATION> parts(size /
                                                          sizeof(SYSTEM_LOGICAL_PROCESSOR_INFORMATION));
  if (parts.empty() || !GetLogicalProcessorInformation(parts.data(), &size)) return 0;
  for (const auto& part : parts) {
    if (part.Relationship == RelationCache && part.Cache.Level == 2) return part.Cache.Size;
  }
  return 0;
}

#endif

int default_threads() {
  const char* wanted = std::getenv("TINTYPE_THREADS");
  if (wanted == nullptr || *wanted == '\0') return std::min(available_cores(), most_threads);
  char* end = nullptr;
  const long threads = std::strtol(wanted, &end, 10);
  if (*end != '\0' || threads < 1 || threads > most_threads) {
    throw Error(code::invalid_argument, "TINTYPE_THREADS is \"", wanted, "\", expected 1 to ", most_threads,
                ".");
  }
  return static_cast<int>(threads);
}

}  // namespace tintype
