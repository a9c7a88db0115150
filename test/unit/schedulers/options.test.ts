// What buildTrajectory accepts and refuses: names, ranges, strength, temperature.

import { describe, expect, test } from 'vitest'
import { parseSchedulerConfig } from '../../../lib/schedulers/config.ts'
import { schedulerNames } from '../../../lib/schedulers/registry.ts'
import { buildTrajectory, type TrajectoryOptions } from '../../../lib/schedulers/trajectory.ts'
import { thrownBy } from '../models/thrown-by.ts'

const config = parseSchedulerConfig(
  { beta_schedule: 'scaled_linear', beta_start: 0.00085, beta_end: 0.012 },
  'test',
)
const build = (options: Partial<TrajectoryOptions>) => buildTrajectory({ config, steps: 20, ...options })

describe('names', () => {
  test.each([
    ['Euler a', 'euler-ancestral', false],
    ['euler_ancestral', 'euler-ancestral', false],
    ['DPM++ 2M Karras', 'dpmpp-2m', true],
    ['dpmpp_2m', 'dpmpp-2m', false],
    ['DDIM', 'ddim', false],
    ['EulerDiscreteScheduler', 'euler', false],
  ])('%s is %s', (name, scheduler, karras) => {
    const trajectory = build({ name })
    expect(trajectory).toEqual(build({ name: scheduler, karras }))
    expect(trajectory.scheduler).toBe(scheduler)
  })

  test.each([
    ['eular', '"euler"'],
    ['dpmpp-3m', '"dpmpp-2m"'],
    ['constructor', 'ddim, euler'],
    ['PNDMScheduler', 'ddim, euler'],
  ])('%s is unknown', (name, advice) => {
    expect(() => build({ name })).toThrow(expect.objectContaining({ code: 'UNKNOWN_OPTION' }))
    expect(() => build({ name })).toThrow(advice)
  })
})

describe('ranges', () => {
  test.each([
    [{ steps: 0 }, 'steps'],
    [{ steps: 1.5 }, 'steps'],
    [{ steps: 1001 }, 'steps'],
    [{ steps: Number.NaN }, 'steps'],
    [{ strength: 0 }, 'strength'],
    [{ strength: 1.01 }, 'strength'],
    [{ strength: Number.NaN }, 'strength'],
    [{ strength: 0.04 }, 'less than one step'],
    [{ eta: -0.1, name: 'ddim' }, 'eta'],
    [{ eta: 1.1, name: 'ddim' }, 'eta'],
    [{ eta: 0.5, name: 'euler' }, 'euler has none'],
    [{ temperature: -1 }, 'temperature'],
    [{ temperature: Infinity }, 'temperature'],
    [{ karras: true, name: 'ddim' }, 'karras'],
    [{ steps: 1000, name: 'ddim' }, 'past the 1000'],
  ])('%j is refused', (options, named) => {
    expect(() => build(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(() => build(options)).toThrow(named)
  })

  test('the option of Karras sigmas is called as users know it', () => {
    expect(() => build({ karras: true, name: 'ddim' })).toThrow(
      /^karrasSigmas: .* or leave karrasSigmas out\.$/,
    )
  })

  test('a strength of less than one step gets advice that works', async () => {
    const adviceFor = async (steps: number, strength: number) => {
      const advice = /Take (?:at least (\d+) steps or )?a strength of at least ([\d.]+)\.$/
      const [, more, least] = advice.exec(String(await thrownBy(() => build({ steps, strength }))))!
      return { more, least }
    }
    for (let steps = 2; steps < 300; steps++) {
      const { more, least } = await adviceFor(steps, 1 / (steps + 1))
      expect(build({ steps, strength: Number(least) }).rows).toHaveLength(1)
      if (more !== undefined)
        expect(build({ steps: Number(more), strength: 1 / (steps + 1) }).rows).toHaveLength(1)
    }
    expect(await adviceFor(49, 1 / 49)).toEqual({ more: '50', least: '0.0205' })
    // There are no 10,000 steps to take.
    expect(await adviceFor(20, 1e-4)).toEqual({ more: undefined, least: '0.05' })
  })

  test('steps stop at the training timesteps', () => {
    const short = parseSchedulerConfig({ num_train_timesteps: 50 }, 'test')
    expect(() => build({ config: short, steps: 51 })).toThrow('from 1 to 50')
  })

  test.each(schedulerNames)('every number of steps gives that many finite rows: %s', (name) => {
    for (const timestepSpacing of ['leading', 'linspace', 'trailing'] as const) {
      for (const steps of [1, 2, 13, 61, 103, 121, 499, 999]) {
        const { rows } = build({ name, steps, config: { ...config, timestepSpacing } })
        expect(rows).toHaveLength(steps)
        expect(rows.every(({ timestep }) => timestep >= 0)).toBe(true)
      }
    }
  })

  test('DPM-Solver has no leading timesteps for as many steps as there are', () => {
    const leading = { ...config, timestepSpacing: 'leading' as const }
    expect(() => build({ name: 'dpmpp-2m', steps: 1000, config: leading })).toThrow('no distance')
  })

  test('zero terminal SNR cannot start from predicted noise', () => {
    const zero = { ...config, rescaleBetasZeroSnr: true, timestepSpacing: 'trailing' as const }
    expect(() => build({ name: 'ddim', config: zero })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_MODEL' }),
    )
    expect(build({ name: 'ddim', config: { ...zero, predictionType: 'v_prediction' } }).rows).toHaveLength(20)
  })
})

describe('temperature', () => {
  test.each([
    ['euler-ancestral', 0],
    ['ddim', 1],
  ])('scales the noise of %s and nothing else', (name, eta) => {
    const plain = build({ name, eta })
    const hot = build({ name, eta, temperature: 1.5 })
    expect(plain.stochastic).toBe(true)
    expect(hot.rows).toEqual(
      plain.rows.map((row) => ({ ...row, next: { ...row.next, noise: row.next.noise * 1.5 } })),
    )
    expect(hot.warnings).toEqual([])
  })

  test('deterministic samplers say that it does nothing', () => {
    const trajectory = build({ name: 'euler', temperature: 0.5 })
    expect(trajectory.stochastic).toBe(false)
    expect(trajectory.warnings).toEqual([expect.stringContaining('temperature')])
  })
})

describe('image to image', () => {
  test.each(schedulerNames)('%s takes the last rows and starts from the noised picture', (name) => {
    const whole = build({ name })
    const part = build({ name, strength: 0.5 })
    expect(part.rows.map(({ timestep }) => timestep)).toEqual(
      whole.rows.slice(10).map(({ timestep }) => timestep),
    )
    const { clean, noise } = part.initial
    expect(clean).toBeGreaterThan(0)
    expect(noise / clean).toBeCloseTo(part.rows[0]!.sigma, 5)
    expect(whole.initial.clean).toBe(0)
  })

  test('a clipped schedule may have no step for a small strength', () => {
    // diffusers keeps the distance of trailing spacing and drops the steps that were clipped away.
    const clipped = parseSchedulerConfig(
      { beta_schedule: 'squaredcos_cap_v2', lambda_min_clipped: 3, timestep_spacing: 'trailing' },
      'test',
    )
    expect(build({ name: 'dpmpp-2m', config: clipped }).rows.length).toBeLessThan(20)
    expect(() => build({ name: 'dpmpp-2m', config: clipped, strength: 0.05 })).toThrow('leaves no step')
  })

  test('a strength of 1 takes all rows, from the picture all the same', () => {
    const all = build({ name: 'euler', strength: 1 })
    expect(all.rows).toHaveLength(20)
    expect(all.initial.clean).toBe(1)
  })
})
