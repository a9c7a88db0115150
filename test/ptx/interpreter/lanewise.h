// Makes a handler of a plain function of lanes: its signature says which rows it reads and writes.
#pragma once
#include <initializer_list>
#include <tuple>
#include <utility>

#include "execution.h"
#include "instruction_set.h"

namespace tintype::ptx {

template <class F, class R, class... A, size_t... I>
void run_lanes(Execution& x, const Instruction& i, std::index_sequence<I...>) {
  auto sources = std::make_tuple(x.row<Row<A>>(i.src[I])...);
  write_lanes(x, x.row<Row<R>>(i.dst[0]),
              [&](int l) { return to_row<R>(F()(from_row<A>(std::get<I>(sources)[l])...)); });
}

template <class F, class R, class... A>
void lanewise_handler(Execution& x, const Instruction& i) {
  run_lanes<F, R, A...>(x, i, std::index_sequence_for<A...>());
}

template <class F, class R, class... A>
LanewiseInstruction make_lanewise(Kind kind, R (F::*)(A...) const) {
  return {lanewise_handler<F, R, A...>, sizeof(R) == 8, {sizeof(A) == 8 ...}, kind};
}

template <class F>
void define(InstructionTable& table, Kind kind, std::initializer_list<const char*> names, F) {
  for (const char* name : names) table.emplace(name, make_lanewise<F>(kind, &F::operator()));
}

}  // namespace tintype::ptx
