#include "layer_norm.h"

#include "table.h"

namespace tintype::cuda {

void layer_norm(const LayerNormArgs& a, Launcher& launcher) {
  const auto blocks = static_cast<uint32_t>(ceil_div(a.m, layer_norm_threads / 32));
  launcher.run("layer_norm", {blocks}, layer_norm_threads, a);
}

}  // namespace tintype::cuda
