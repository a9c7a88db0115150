// Which of the numbers that the op table calls float32 stay float32 on the device. The others are elements:
// fp16 or bf16.
#pragma once
#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "../args.gen.h"

namespace tintype::cuda {

// Latents go through every step of a sampler, so they and what is computed of them keep their precision;
// factors of normalisations are few.
constexpr bool stays_float(Opcode op, std::string_view operand) {
  constexpr std::pair<Opcode, std::string_view> all[] = {
      {Opcode::timestep_embedding, "t"},
      {Opcode::conv2d, "mean"},
      {Opcode::conv2d, "factor"},
      {Opcode::conv2d, "shift"},
      {Opcode::group_factors, "mean"},
      {Opcode::group_factors, "factor"},
      {Opcode::group_factors, "shift"},
      {Opcode::scale, "by"},
      {Opcode::sample_gaussian, "noise"},
      {Opcode::sample_gaussian, "y"},
      {Opcode::predict_clean, "latents"},
      {Opcode::predict_clean, "coefficients"},
      {Opcode::predict_clean, "y"},
      {Opcode::dynamic_threshold, "x"},
      {Opcode::dynamic_threshold, "y"},
      {Opcode::scheduler_step, "latents"},
      {Opcode::scheduler_step, "coefficients"},
      {Opcode::scheduler_step, "clean"},
      {Opcode::scheduler_step, "history"},
      {Opcode::scheduler_step, "noise"},
      {Opcode::scheduler_step, "y"},
      {Opcode::scheduler_step, "newHistory"},
  };
  return std::find(std::begin(all), std::end(all), std::pair(op, operand)) != std::end(all);
}

}  // namespace tintype::cuda
