// Ops that read two values side by side, for which a GPU needs no copy: here one is made.
#include <cstdint>

#include "../args.gen.h"
#include "../exec.h"

namespace tintype::TINTYPE_ISA {

void concat(const ConcatArgs&, const Exec&);
void group_norm(const GroupNormArgs&, const Exec&);
ScratchSize group_norm_scratch(const GroupNormArgs&);
void linear(const LinearArgs&, const Exec&);
ScratchSize linear_scratch(const LinearArgs&);

namespace {

GroupNormArgs normed(const ConcatGroupNormArgs& a, const float* both) {
  return {a.n, a.hw, a.c, both, a.gamma, a.beta, a.y, a.groups, a.eps, a.activation};
}

LinearArgs multiplied(const ConcatLinearArgs& a, const float* both) {
  return {a.m, a.n, a.k, both, a.w, a.bias, a.residual, a.y, Activation::none, ProductAlgorithm::direct};
}

// The copy lies behind what the kernel needs itself, at a whole cache line.
size_t behind(const ScratchSize& size) {
  return (size.shared + 63) / 64 * 64;
}

float* copied(const ConcatArgs& halves, size_t at, const Exec& exec) {
  ConcatArgs all = halves;
  all.y = reinterpret_cast<float*>(exec.shared_scratch + at);
  concat(all, exec);
  return all.y;
}

ScratchSize with_copy(ScratchSize size, int64_t numbers) {
  return {size.each, behind(size) + static_cast<size_t>(numbers) * sizeof(float)};
}

}  // namespace

ScratchSize concat_group_norm_scratch(const ConcatGroupNormArgs& a) {
  return with_copy(group_norm_scratch(normed(a, nullptr)), a.n * a.hw * a.c);
}

void concat_group_norm(const ConcatGroupNormArgs& a, const Exec& exec) {
  const size_t at = behind(group_norm_scratch(normed(a, nullptr)));
  group_norm(normed(a, copied({a.n * a.hw, a.ca, a.cb, a.c, a.a, a.b, nullptr}, at, exec)), exec);
}

ScratchSize concat_linear_scratch(const ConcatLinearArgs& a) {
  return with_copy(linear_scratch(multiplied(a, nullptr)), a.m * a.k);
}

void concat_linear(const ConcatLinearArgs& a, const Exec& exec) {
  const size_t at = behind(linear_scratch(multiplied(a, nullptr)));
  linear(multiplied(a, copied({a.m, a.ca, a.cb, a.k, a.a, a.b, nullptr}, at, exec)), exec);
}

}  // namespace tintype::TINTYPE_ISA
