// The rows of layers with a norm in front of them. GPUs fold such norms into the weights; here they are
// computed first.
#pragma once
#include "../args.gen.h"
#include "../exec.h"

namespace tintype::TINTYPE_ISA {

void layer_norm(const LayerNormArgs&, const Exec&);

namespace {

// Of the scratch memory for all threads, in front of what the product takes.
template <class Args>
size_t normed_bytes(const Args& a) {
  const size_t bytes = static_cast<size_t>(a.m * a.k) * sizeof(float);
  return a.gamma ? (bytes + 63) / 64 * 64 : 0;
}

// Calls f(args, exec) with rows that are normalised.
template <class Args, class F>
void with_normed_rows(const Args& a, const Exec& exec, F&& f) {
  Args args = a;
  Exec rest = exec;
  if (a.gamma) {
    float* rows = reinterpret_cast<float*>(exec.shared_scratch);
    layer_norm({a.m, a.k, a.x, a.gamma, a.beta, rows, a.eps}, exec);
    args.x = rows;
    rest.shared_scratch += normed_bytes(a);
  }
  f(args, rest);
}

}  // namespace
}  // namespace tintype::TINTYPE_ISA
