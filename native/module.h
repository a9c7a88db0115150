// What each module of the addon brings: its devices, and their backends (backend.h).
#pragma once
#include <napi.h>

namespace tintype {

// A list of objects that describe the devices (lib/runtime/device.ts).
Napi::Array list_devices(Napi::Env env);

}  // namespace tintype
