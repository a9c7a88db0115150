// From the model's raw output to clean latents and noise, for each prediction type.

import type { Combination, PredictionType } from './contract.ts'
import type { SignalNoise } from './sigmas.ts'

/** x0 of `x = alpha * x0 + sigma * eps`, as a combination of x and the model output. */
export function cleanLatents(type: PredictionType, { alpha, sigma }: SignalNoise): Combination {
  switch (type) {
    case 'epsilon':
      return { latents: 1 / alpha, model: -sigma / alpha }
    case 'v_prediction':
      return { latents: alpha, model: -sigma }
    case 'sample':
      return { latents: 0, model: 1 }
  }
}

/** eps of `x = alpha * x0 + sigma * eps`, as a combination of x and the model output. */
export function predictedNoise(type: PredictionType, { alpha, sigma }: SignalNoise): Combination {
  switch (type) {
    case 'epsilon':
      return { latents: 0, model: 1 }
    case 'v_prediction':
      return { latents: sigma, model: alpha }
    case 'sample':
      return { latents: 1 / sigma, model: -alpha / sigma }
  }
}

/** `a * A + b * B` of two combinations. */
export function combine(a: number, A: Combination, b: number, B: Combination): Combination {
  return { latents: a * A.latents + b * B.latents, model: a * A.model + b * B.model }
}

/** The latents themselves, for `combine`. */
export const latentsAlone: Combination = { latents: 1, model: 0 }
