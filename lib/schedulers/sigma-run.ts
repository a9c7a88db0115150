// The noise levels of an Euler run, which plain Euler and the ancestral sampler share.

import { trainingSigmas } from './betas.ts'
import type { Combination, SamplerPlan, SamplerRequest, StepRow } from './contract.ts'
import { cleanLatents, combine, latentsAlone } from './prediction.ts'
import { karrasSigmas, sigmaAt, signalNoise, timestepOf } from './sigmas.ts'
import { spreadTimesteps } from './timesteps.ts'

/** Where a step of `x = x0 + sigma * eps` goes: to a lower sigma, with fresh noise on top. */
export interface SigmaStep {
  readonly down: number
  readonly noise: number
}

/** Timesteps and sigmas of a run, the sigma after the last step included. */
function levels({ config, steps, karras }: SamplerRequest): { timesteps: number[]; sigmas: Float32Array } {
  const trained = trainingSigmas(config)
  const spacing = config.timestepSpacing ?? 'linspace'
  let timesteps = spreadTimesteps(spacing, {
    total: config.numTrainTimesteps,
    steps,
    offset: config.stepsOffset,
  })
  timesteps = timesteps.map(Math.fround)
  let sigmas = timesteps.map((timestep) => sigmaAt(trained, timestep))
  if (karras) {
    sigmas = karrasSigmas(config.sigmaMin ?? sigmas.at(-1)!, config.sigmaMax ?? sigmas[0]!, steps)
    const logSigmas = trained.map(Math.log)
    timesteps = sigmas.map((sigma) => Math.fround(timestepOf(logSigmas, sigma)))
  }
  const last = config.finalSigma === 'zero' ? 0 : trained[0]!
  return { timesteps, sigmas: Float32Array.from([...sigmas, last]) }
}

/**
 * The plan of a sampler that integrates `dx/dsigma = (x - x0) / sigma` (arXiv:2206.00364, equation 1 at s = 1) by
 * Euler's rule, as diffusers' `EulerDiscreteScheduler` does.
 *
 * @param step the level that a step from `sigma` to `next` integrates to, and the noise it then adds
 */
export function planSigmaRun(
  request: SamplerRequest,
  step: (sigma: number, next: number) => SigmaStep,
): SamplerPlan {
  const { config } = request
  const { timesteps, sigmas } = levels(request)

  function row(index: number): StepRow {
    const sigma = sigmas[index]!
    const { down, noise } = step(sigma, sigmas[index + 1]!)
    const inputScale = signalNoise(sigma).alpha
    const scaled = cleanLatents(config.predictionType, signalNoise(sigma))
    const clean: Combination = { latents: scaled.latents * inputScale, model: scaled.model }
    // x + (x - x0) / sigma * (down - sigma), in terms of x and x0.
    const kept = down / sigma
    return {
      timestep: timesteps[index]!,
      sigma,
      inputScale,
      next: { ...combine(kept, latentsAlone, 1 - kept, clean), history: [], noise, correction: 1 - kept },
      remember: { latents: 0, model: 0, correction: 0 },
      clean,
    }
  }

  const largest = Math.max(...sigmas)
  const leading = config.timestepSpacing === 'leading'
  return {
    length: timesteps.length,
    historyLength: 0,
    initialNoise: leading ? Math.sqrt(largest * largest + 1) : largest,
    noised: (index) => ({ clean: 1, noise: sigmas[index]! }),
    row,
  }
}
