// The noise that training added, timestep by timestep, as diffusers holds it: in float32.

import type { SchedulerConfig } from './contract.ts'

const f32 = Math.fround

/** `torch.linspace` in float32: from both ends towards the middle, by fused multiply-adds, rounded once. */
function linspace32(start: number, end: number, count: number): Float32Array {
  const [first, last] = [f32(start), f32(end)]
  const step = f32(f32(last - first) / (count - 1))
  return Float32Array.from({ length: count }, (_, i) =>
    i < Math.floor(count / 2) ? first + step * i : last - step * (count - 1 - i),
  )
}

/** The cosine schedule of Improved DDPM (arXiv:2102.09672, equation 17), capped at 0.999. */
function cosineBetas(count: number): Float32Array {
  const alphaBar = (t: number) => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2
  return Float32Array.from({ length: count }, (_, i) =>
    Math.min(1 - alphaBar((i + 1) / count) / alphaBar(i / count), 0.999),
  )
}

function trainingBetas({ betas, numTrainTimesteps: count }: SchedulerConfig): Float32Array {
  switch (betas.schedule) {
    case 'trained':
      return Float32Array.from(betas.values)
    case 'squaredcos_cap_v2':
      return cosineBetas(count)
    case 'linear':
      return linspace32(betas.start, betas.end, count)
    case 'scaled_linear':
      return linspace32(Math.sqrt(betas.start), Math.sqrt(betas.end), count).map((root) => root * root)
  }
}

/** `torch.cumprod(1 - betas)`: summed up in double precision, stored in float32. */
function cumulativeAlphas(betas: Float32Array): Float32Array {
  let product = 1
  return betas.map((beta) => {
    product *= f32(1 - beta)
    return product
  })
}

/** Betas rescaled to zero terminal signal-to-noise ratio (arXiv:2305.08891, algorithm 1). */
function rescaleToZeroSnr(betas: Float32Array): Float32Array {
  const roots = cumulativeAlphas(betas).map(Math.sqrt)
  const first = roots[0]!
  const last = roots.at(-1)!
  const scale = f32(first / f32(first - last))
  const alphasBar = roots.map((root) => f32(f32(root - last) * scale) ** 2)
  return alphasBar.map((alphaBar, t) => 1 - (t === 0 ? alphaBar : f32(alphaBar / alphasBar[t - 1]!)))
}

/** alpha-bar of every training timestep: how much of the signal's variance is left (arXiv:2006.11239, section 2). */
export function alphasCumprod(config: SchedulerConfig): Float32Array {
  const betas = trainingBetas(config)
  return cumulativeAlphas(config.rescaleBetasZeroSnr ? rescaleToZeroSnr(betas) : betas)
}

/**
 * sigma = sqrt((1 - alpha-bar) / alpha-bar) of every training timestep. At zero terminal SNR the last alpha-bar is
 * taken as 2^-24, so that the sigma stays finite.
 */
export function trainingSigmas(config: SchedulerConfig): Float32Array {
  const alphas = alphasCumprod(config)
  if (config.rescaleBetasZeroSnr) alphas[alphas.length - 1] = 2 ** -24
  return alphas.map((alpha) => Math.sqrt(f32(f32(1 - alpha) / alpha)))
}
