// DPM-Solver++ 2M (Lu et al., arXiv:2211.01095, algorithm 2): second order from the step before, no extra evaluations.

import { TintypeError } from '../errors.ts'
import { alphasCumprod, trainingSigmas } from './betas.ts'
import type { SamplerPlan, SamplerRequest, SchedulerConfig, StepRow } from './contract.ts'
import { cleanLatents, combine, latentsAlone } from './prediction.ts'
import { karrasSigmas, sigmaAt, signalNoise, timestepOf } from './sigmas.ts'
import { leadingTimesteps, linspace, roundHalfEven, trailingTimesteps } from './timesteps.ts'

/** Runs shorter than this end with a first-order step when `lower_order_final` is set. */
const shortRun = 15

/** How many of the training timesteps are in use: those with log(alpha / sigma) above `lambda_min_clipped`. */
function usableTimesteps(config: SchedulerConfig): number {
  const { lambdaMinClipped } = config.dpm
  if (lambdaMinClipped === -Infinity) return config.numTrainTimesteps
  const alphas = alphasCumprod(config)
  return alphas.filter(
    (alpha) => Math.log(Math.sqrt(alpha)) - Math.log(Math.sqrt(1 - alpha)) >= lambdaMinClipped,
  ).length
}

/** diffusers spreads DPM-Solver's timesteps over one step more than it takes, so that the last is not 0. */
function dpmTimesteps(config: SchedulerConfig, steps: number): number[] {
  const usable = usableTimesteps(config)
  switch (config.timestepSpacing ?? 'linspace') {
    case 'linspace':
      return linspace(0, usable - 1, steps + 1)
        .map(roundHalfEven)
        .reverse()
        .slice(0, -1)
    case 'leading':
      return leadingTimesteps(Math.floor(usable / (steps + 1)), config.stepsOffset, steps + 1).slice(0, -1)
    case 'trailing':
      return trailingTimesteps(usable, config.numTrainTimesteps, steps)
  }
}

/** Timesteps and sigmas of a run, the sigma after the last step included. */
function levels({ config, steps, karras }: SamplerRequest): { timesteps: number[]; sigmas: Float32Array } {
  const trained = trainingSigmas(config)
  let timesteps: number[]
  let sigmas: number[]
  if (karras) {
    sigmas = karrasSigmas(trained[0]!, trained.at(-1)!, steps)
    const logSigmas = trained.map(Math.log)
    const whole = config.betas.schedule === 'squaredcos_cap_v2' ? Math.trunc : roundHalfEven
    timesteps = sigmas.map((sigma) => whole(timestepOf(logSigmas, sigma)))
  } else {
    timesteps = dpmTimesteps(config, steps)
    sigmas = timesteps.map((timestep) => sigmaAt(trained, timestep))
  }
  const last = config.finalSigma === 'zero' ? 0 : trained[0]!
  return { timesteps, sigmas: Float32Array.from([...sigmas, last]) }
}

/** diffusers' `DPMSolverMultistepScheduler` with `dpmsolver++`, midpoint, order 1 or 2. */
export function dpmpp2m(request: SamplerRequest): SamplerPlan {
  const { config } = request
  const { solverOrder, eulerAtFinal, lowerOrderFinal } = config.dpm
  const { timesteps, sigmas } = levels(request)
  const length = timesteps.length
  if (length > 1 && timesteps[0] === timesteps.at(-1)) {
    throw new TintypeError(
      'INVALID_ARGUMENT',
      `steps: ${request.steps} steps of leading spacing leave no distance between the timesteps.`,
      { advice: 'Take fewer steps.' },
    )
  }
  /** log(alpha / sigma): the time in which the solver's steps are even; infinite at sigma 0. */
  const lambda = (index: number) => -Math.log(sigmas[index]!)
  const firstOrderFinal =
    eulerAtFinal || (lowerOrderFinal && length < shortRun) || config.finalSigma === 'zero'

  function row(index: number, begin: number): StepRow {
    const from = signalNoise(sigmas[index]!)
    const to = signalNoise(sigmas[index + 1]!)
    const clean = cleanLatents(config.predictionType, from)
    const h = lambda(index + 1) - lambda(index)
    // Equation 9: x' = sigma_t / sigma_s x - alpha_t (exp(-h) - 1) D, where D is x0, extrapolated at second order.
    const weight = -to.alpha * Math.expm1(-h)
    // Two equal levels in a row, which runs of nearly all training timesteps have, give no slope.
    const elapsed = index === begin ? 0 : lambda(index) - lambda(index - 1)
    const final = firstOrderFinal && index === length - 1
    const slope = solverOrder === 1 || final || elapsed === 0 ? 0 : h / (2 * elapsed)
    const correction = weight * (1 + slope)
    return {
      timestep: timesteps[index]!,
      sigma: sigmas[index]!,
      inputScale: 1,
      next: {
        ...combine(to.sigma / from.sigma, latentsAlone, correction, clean),
        history: [-weight * slope],
        noise: 0,
        correction,
      },
      remember: { ...clean, correction: 1 },
      clean,
    }
  }

  return {
    length,
    historyLength: 1,
    initialNoise: 1,
    noised(index) {
      const { alpha, sigma } = signalNoise(sigmas[index]!)
      return { clean: alpha, noise: sigma }
    },
    row,
  }
}
