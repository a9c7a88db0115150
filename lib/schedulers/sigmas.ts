// Noise levels of a run in k-diffusion's terms, and the way back from a level to a timestep.

import { linspace } from './timesteps.ts'

/** The sigma at a fractional timestep, linear between neighbours and the last one beyond it (numpy's `interp`). */
export function sigmaAt(trained: Float32Array, timestep: number): number {
  if (timestep >= trained.length - 1) return trained.at(-1)!
  const low = Math.floor(timestep)
  return trained[low]! + (trained[low + 1]! - trained[low]!) * (timestep - low)
}

/** The sigma schedule of EDM, rho = 7 (arXiv:2206.00364, equation 5), from `max` down to `min`. */
export function karrasSigmas(min: number, max: number, steps: number): number[] {
  const rho = 7
  const [low, high] = [min ** (1 / rho), max ** (1 / rho)]
  return linspace(0, 1, steps).map((ramp) => (high + ramp * (low - high)) ** rho)
}

/** The fractional timestep of a sigma, linear in log sigma between the training timesteps. */
export function timestepOf(logSigmas: Float32Array, sigma: number): number {
  const logSigma = Math.log(Math.max(sigma, 1e-10))
  // The trained sigmas rise, so the count of those at or below is the index after the lower neighbour.
  let [low, high] = [0, logSigmas.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (logSigmas[middle]! <= logSigma) low = middle + 1
    else high = middle
  }
  const index = Math.min(Math.max(low - 1, 0), logSigmas.length - 2)
  const [below, above] = [logSigmas[index]!, logSigmas[index + 1]!]
  const weight = (below - logSigma) / Math.fround(below - above)
  return index + Math.min(Math.max(weight, 0), 1)
}

/** Noise level as signal and noise of unit total variance: `x = alpha * x0 + sigma * eps`. */
export interface SignalNoise {
  readonly alpha: number
  readonly sigma: number
}

/** The variance-preserving pair of a k-diffusion sigma. */
export function signalNoise(sigma: number): SignalNoise {
  const alpha = 1 / Math.sqrt(sigma * sigma + 1)
  return { alpha, sigma: sigma * alpha }
}
