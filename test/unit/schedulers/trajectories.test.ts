// Every sampler over whole runs against diffusers (test/golden/schedulers): one suite for the whole contract.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { alphasCumprod } from '../../../lib/schedulers/betas.ts'
import { parseSchedulerConfig } from '../../../lib/schedulers/config.ts'
import type { Trajectory } from '../../../lib/schedulers/contract.ts'
import { schedulerNames } from '../../../lib/schedulers/registry.ts'
import { buildTrajectory } from '../../../lib/schedulers/trajectory.ts'
import { goldenNoise, replay, type Thresholding } from './replay.ts'

interface Golden {
  readonly scheduler: string
  readonly config: {
    readonly steps_offset?: number
    readonly thresholding?: boolean
    readonly dynamic_thresholding_ratio?: number
    readonly sample_max_value?: number
  }
  readonly steps: number
  readonly strength?: number
  readonly eta?: number
  readonly timesteps: readonly number[]
  readonly middle: readonly number[]
  readonly final: readonly number[]
}

interface Table {
  readonly config: object
  readonly alphas_cumprod: readonly number[]
}

const { cases, tables }: { cases: readonly Golden[]; tables: readonly Table[] } = JSON.parse(
  readFileSync('test/golden/schedulers/trajectories.json', 'utf8'),
)

/** The trajectory that the raw scheduler class runs: its own offset, thresholding left to the replay. */
function trajectoryOf({ scheduler, config, steps, strength, eta }: Golden): Trajectory {
  const parsed = parseSchedulerConfig({ ...config, thresholding: false }, 'golden')
  const raw = { ...parsed, stepsOffset: config.steps_offset ?? 0 }
  return buildTrajectory({ config: raw, name: scheduler, steps, strength, eta })
}

function thresholdingOf({ config }: Golden): Thresholding | undefined {
  if (!config.thresholding) return undefined
  return { percentile: config.dynamic_thresholding_ratio ?? 0.995, max: config.sample_max_value ?? 1 }
}

function norm(values: readonly number[]): number {
  return Math.sqrt(values.reduce((sum, v) => sum + v * v, 0))
}

/**
 * The issue's bound, 1e-5 over the whole run. At zero terminal SNR diffusers' float32 does not hold it against its own
 * formulas: latents of 4096 lose 4096 * 2^-24 in each operation, here four, and end as latents of 1.
 */
function bound(want: readonly number[], { initial }: Trajectory): number {
  const largest = initial.noise * norm(goldenNoise(0))
  return Math.max(1e-5 * norm(want), 4 * largest * 2 ** -24)
}

function distance(got: readonly number[], want: readonly number[]): number {
  return norm(got.map((value, i) => value - want[i]!))
}

function sampleTimesteps({ rows }: Trajectory): number[] {
  const all = rows.map(({ timestep }) => timestep)
  if (all.length <= 10) return all
  return [...all.slice(0, 3), ...all.slice(-3), all.reduce((sum, t) => sum + t, 0)]
}

test.each(tables)('alpha-bar of $config is that of torch', ({ config, alphas_cumprod: want }) => {
  const parsed = parseSchedulerConfig(config, 'golden')
  const alphas = alphasCumprod(parsed)
  const got = [...alphas.filter((_, t) => t % 37 === 0), alphas.at(-1)!]
  // Bit for bit, but for the square roots of the rescaling: torch's vectorised ones miss the last bit now and then.
  const slack = parsed.rescaleBetasZeroSnr ? 2 ** -22 : 0
  expect(got).toHaveLength(want.length)
  got.forEach((alpha, i) => {
    expect(Math.abs(alpha - want[i]!)).toBeLessThanOrEqual(slack * want[i]!)
  })
})

describe.each(schedulerNames)('%s agrees with diffusers', (name) => {
  const own = cases.filter(({ scheduler }) => scheduler === name)
  const title = ({ config, steps, strength, eta }: Golden) => {
    const short = (key: string, value: unknown) => (key === 'trained_betas' ? 'custom' : value)
    return JSON.stringify({ steps, strength, eta, ...config }, short)
  }
  test.each(own.map((golden) => [title(golden), golden] as const))('%s', (_, golden) => {
    const trajectory = trajectoryOf(golden)
    sampleTimesteps(trajectory).forEach((timestep, i) => {
      // Timesteps are exact but for Karras', which go through a float32 logarithm: 1e-7 of 7 over spacing 0.003.
      expect(Math.abs(timestep - golden.timesteps[i]!)).toBeLessThanOrEqual(2e-3 + 1e-6 * timestep)
    })
    const trace = replay(trajectory, thresholdingOf(golden))
    const middle = trace[Math.floor(trace.length / 2)]!
    expect(distance(middle, golden.middle)).toBeLessThan(bound(golden.middle, trajectory))
    expect(distance(trace.at(-1)!, golden.final)).toBeLessThan(bound(golden.final, trajectory))
  })
})
