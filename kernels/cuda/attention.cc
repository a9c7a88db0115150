#include "attention.h"

#include <stdexcept>
#include <string>

#include "attention_wide.h"
#include "table.h"

namespace tintype::cuda {

namespace {

constexpr float log2_e = 1.4426950408889634f;

// The kernel that takes the fewest steps, or null where there is none for such heads.
template <class Shape, size_t Count>
const Shape* shape_for(const Shape (&shapes)[Count], int64_t head, int64_t keys) {
  const Shape* best = nullptr;
  for (const Shape& shape : shapes) {
    if (shape.head != head) continue;
    const auto padded = [&](const Shape& s) { return ceil_div(keys, s.keys) * s.keys; };
    if (!best || padded(shape) < padded(*best)) best = &shape;
  }
  return best;
}

}  // namespace

void attention(const AttentionArgs& a, Launcher& launcher) {
  const int64_t head = a.c / a.heads;
  const AttentionLaunch args = {a, a.scale * log2_e};
  const auto heads = static_cast<uint32_t>(a.heads), pictures = static_cast<uint32_t>(a.n);
  const auto run = [&](const auto& shape, int threads) {
    const std::string name = "attention_" + std::to_string(shape.head) + "_" + std::to_string(shape.keys);
    const auto blocks = static_cast<uint32_t>(ceil_div(a.lq, shape.queries()));
    launcher.run(name.c_str(), {blocks, heads, pictures}, threads, args,
                 static_cast<size_t>(shape.shared_bytes()));
  };
  if (has_warpgroups(launcher.gpu().architecture)) {
    if (const auto* shape = shape_for(warpgroup_attention_shapes, head, a.lk)) {
      return run(*shape, WarpgroupAttention::threads);
    }
  }
  if (const auto* shape = shape_for(attention_shapes, head, a.lk)) return run(*shape, attention_threads);
  if (head == WideAttention::head) {
    const auto blocks = static_cast<uint32_t>(ceil_div(a.lq, WideAttention::queries));
    launcher.run("attention_512", {blocks, heads, pictures}, WideAttention::threads, args,
                 static_cast<size_t>(wide_attention(launcher.gpu().architecture).shared_bytes()));
    return;
  }
  if (head > attention_any_head) {
    throw std::invalid_argument("attention: heads of " + std::to_string(head) + " channels, at most " +
                                std::to_string(attention_any_head) + " are supported");
  }
  const auto blocks = static_cast<uint32_t>(ceil_div(a.lq, attention_warps));
  launcher.run("attention_any", {blocks, heads, pictures}, attention_threads, args);
}

}  // namespace tintype::cuda
