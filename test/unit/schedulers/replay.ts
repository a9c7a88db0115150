// Runs a trajectory over the analytic model of test/golden/schedulers/make_golden.py, in float64.

import type { StepRow, Trajectory } from '../../../lib/schedulers/contract.ts'

/** Dynamic thresholding as diffusers configures it. */
export interface Thresholding {
  readonly percentile: number
  readonly max: number
}

/** The generator's noise number k: 8 values, float32 as torch held them. */
export function goldenNoise(k: number): number[] {
  return Array.from({ length: 8 }, (_, i) => Math.fround(1.4 * Math.sin(12.9898 * (8 * k + i) + 1)))
}

function model(x: number, i: number, t: number): number {
  return 0.5 * Math.sin(0.4 * x + 0.002 * t + i) + 0.1 * x
}

/** Imagen's dynamic thresholding (arXiv:2205.11487, section 2.3), `torch.quantile` with linear interpolation. */
function threshold(clean: readonly number[], { percentile, max }: Thresholding): number[] {
  const sorted = clean.map(Math.abs).sort((a, b) => a - b)
  const at = percentile * (sorted.length - 1)
  const low = Math.floor(at)
  const quantile = sorted[low]! + (at - low) * ((sorted[low + 1] ?? sorted[low]!) - sorted[low]!)
  const s = Math.min(Math.max(quantile, 1), max)
  return clean.map((x) => Math.min(Math.max(x, -s), s) / s)
}

function step(
  row: StepRow,
  x: readonly number[],
  past: readonly number[][],
  extra: { noise: number[]; thresholding: Thresholding | undefined },
) {
  const m = x.map((value, i) => model(row.inputScale * value, i, row.timestep))
  const clean = x.map((value, i) => row.clean.latents * value + row.clean.model * m[i]!)
  const replaced = extra.thresholding === undefined ? clean : threshold(clean, extra.thresholding)
  const change = replaced.map((value, i) => value - clean[i]!)
  const { next, remember } = row
  return {
    x: x.map((value, i) => {
      const history = next.history.reduce((sum, weight, h) => sum + weight * (past[h]?.[i] ?? 0), 0)
      return (
        next.latents * value +
        next.model * m[i]! +
        history +
        next.noise * extra.noise[i]! +
        next.correction * change[i]!
      )
    }),
    remembered: x.map(
      (value, i) => remember.latents * value + remember.model * m[i]! + remember.correction * change[i]!,
    ),
  }
}

/** The latents after every step. Noise 0 starts the run, noise k + 1 belongs to step k, noise 1000 is the picture. */
export function replay(trajectory: Trajectory, thresholding?: Thresholding): number[][] {
  const { clean, noise } = trajectory.initial
  const picture = goldenNoise(1000)
  let x = goldenNoise(0).map((value, i) => noise * value + clean * 0.8 * picture[i]!)
  let past: number[][] = []
  return trajectory.rows.map((row, k) => {
    const result = step(row, x, past, { noise: goldenNoise(k + 1), thresholding })
    past = [result.remembered, ...past].slice(0, trajectory.historyLength)
    x = result.x
    return x
  })
}
