// DDIM (Song et al., arXiv:2010.02502), with eta from deterministic (0) to DDPM (1).

import { TintypeError } from '../errors.ts'
import { alphasCumprod } from './betas.ts'
import type { SamplerPlan, SamplerRequest, StepRow } from './contract.ts'
import { cleanLatents, combine, predictedNoise } from './prediction.ts'
import { roundHalfEven, spreadTimesteps } from './timesteps.ts'

/** Equation 12 with the variance of equation 16, as diffusers' `DDIMScheduler` without `clip_sample`. */
export function ddim({ config, steps, eta }: SamplerRequest): SamplerPlan {
  const total = config.numTrainTimesteps
  const alphas = alphasCumprod(config)
  const spacing = config.timestepSpacing ?? 'leading'
  const timesteps = spreadTimesteps(spacing, { total, steps, offset: config.stepsOffset }).map(roundHalfEven)
  if (timesteps[0]! >= total) {
    throw new TintypeError(
      'INVALID_ARGUMENT',
      `steps: ${steps} steps of leading spacing with steps_offset ${config.stepsOffset} end at timestep ${timesteps[0]}, past the ${total} of the training.`,
      { advice: 'Take fewer steps.' },
    )
  }
  // The step is as long as `leading` spacing has it, whatever the spacing: diffusers' choice.
  const stride = Math.floor(total / steps)
  const finalAlpha = config.setAlphaToOne ? 1 : alphas[0]!
  const levels = (timestep: number) => {
    const alphaBar = alphas[timestep]!
    return { alphaBar, alpha: Math.sqrt(alphaBar), sigma: Math.sqrt(1 - alphaBar) }
  }

  function row(index: number): StepRow {
    const timestep = timesteps[index]!
    const { alphaBar, alpha, sigma } = levels(timestep)
    const before = timestep - stride
    const alphaBarBefore = before >= 0 ? alphas[before]! : finalAlpha
    const alphaBefore = Math.sqrt(alphaBarBefore)
    const variance = ((1 - alphaBarBefore) / (1 - alphaBar)) * (1 - alphaBar / alphaBarBefore)
    const noise = eta * Math.sqrt(Math.max(variance, 0))
    const direction = Math.sqrt(Math.max(1 - alphaBarBefore - noise * noise, 0))
    const clean = cleanLatents(config.predictionType, { alpha, sigma })
    const eps = predictedNoise(config.predictionType, { alpha, sigma })
    return {
      timestep,
      sigma: sigma / alpha,
      inputScale: 1,
      next: { ...combine(alphaBefore, clean, direction, eps), history: [], noise, correction: alphaBefore },
      remember: { latents: 0, model: 0, correction: 0 },
      clean,
    }
  }

  return {
    length: timesteps.length,
    historyLength: 0,
    initialNoise: 1,
    noised(index) {
      const { alpha, sigma } = levels(timesteps[index]!)
      return { clean: alpha, noise: sigma }
    },
    row,
  }
}
