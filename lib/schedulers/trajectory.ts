// From a user's wish to the rows of a run: names resolved, numbers checked, img2img cut.

import { TintypeError } from '../errors.ts'
import type { SchedulerConfig, StepRow, Trajectory } from './contract.ts'
import { schedulerNamed, schedulerOfClass, schedulers } from './registry.ts'

/** What `buildTrajectory` is asked for. */
export interface TrajectoryOptions {
  readonly config: SchedulerConfig
  /** A sampler's name, ours or A1111's; left out, the configuration's class decides. */
  readonly name?: string | undefined
  /** 1 to 1000, and at most the training timesteps. */
  readonly steps: number
  /** Image to image: the share of the steps to take, above 0 up to 1. Left out: text to image. */
  readonly strength?: number | undefined
  /** DDIM: 0 (deterministic) to 1 (DDPM). */
  readonly eta?: number | undefined
  /** Scales the noise that stochastic samplers add; default 1. */
  readonly temperature?: number | undefined
  /** Karras sigmas; left out, the name or the configuration decides. */
  readonly karras?: boolean | undefined
}

function invalid(message: string, advice?: string): TintypeError {
  return new TintypeError('INVALID_ARGUMENT', message, advice === undefined ? {} : { advice })
}

/** `value` when it is a number from `low` to `high`; an error naming the option otherwise. */
function inRange(option: string, value: number, low: number, high: number): number {
  if (typeof value === 'number' && value >= low && value <= high) return value
  const range = high === Infinity ? `of at least ${low}` : `from ${low} to ${high}`
  throw invalid(`${option}: expected a number ${range}, got ${String(value)}.`)
}

const mostSteps = ({ numTrainTimesteps }: SchedulerConfig) => Math.min(1000, numTrainTimesteps)

function checkSteps(steps: number, config: SchedulerConfig): void {
  const most = mostSteps(config)
  if (Number.isInteger(steps) && steps >= 1 && steps <= most) return
  throw invalid(`steps: expected an integer from 1 to ${most}, got ${String(steps)}.`)
}

/** As `int(steps * strength)` of diffusers, which may round the other way than the share says: 49 * (1 / 49) is no step. */
const stepsTaken = (steps: number, strength: number) => Math.min(Math.trunc(steps * strength), steps)

/** What would make a step of too small a share: more steps, where there may be so many, or a strength that reads well. */
function adviceForStep(steps: number, strength: number, most: number): string {
  const least = Math.ceil(1e4 / steps) / 1e4
  const enough = Math.ceil(1 / strength)
  const more = stepsTaken(enough, strength) > 0 ? enough : enough + 1
  return `Take ${more > most ? '' : `at least ${more} steps or `}a strength of at least ${least}.`
}

/** Index of the first step: diffusers' `get_timesteps` of image to image. */
function firstStep(steps: number, strength: number | undefined, config: SchedulerConfig): number {
  if (strength === undefined) return 0
  if (!(typeof strength === 'number' && strength > 0 && strength <= 1)) {
    throw invalid(`strength: expected a number above 0, up to 1, got ${String(strength)}.`)
  }
  const taken = stepsTaken(steps, strength)
  if (taken === 0) {
    throw invalid(
      `strength: ${strength} of ${steps} steps is less than one step.`,
      adviceForStep(steps, strength, mostSteps(config)),
    )
  }
  return steps - taken
}

function withTemperature(row: StepRow, temperature: number): StepRow {
  return { ...row, next: { ...row.next, noise: row.next.noise * temperature } }
}

/** Zero terminal SNR and epsilon contradict each other: there is no x0 in pure noise. */
function checkFinite(rows: readonly StepRow[]): void {
  for (const { timestep, next, clean } of rows) {
    const numbers = [next.latents, next.model, next.noise, ...next.history, clean.latents, clean.model]
    if (!numbers.every(Number.isFinite)) {
      throw new TintypeError(
        'UNSUPPORTED_MODEL',
        `The scheduler's configuration has no finite step at timestep ${timestep}.`,
        { advice: 'A model of zero terminal SNR (rescale_betas_zero_snr) must predict v or the sample.' },
      )
    }
  }
}

/**
 * The rows of a run.
 *
 * @example
 * const { rows, initial } = buildTrajectory({ config, name: 'euler', steps: 20 })
 * @throws TintypeError `INVALID_ARGUMENT` or `UNKNOWN_OPTION` for a wrong option, `UNSUPPORTED_MODEL` for a field of
 * the configuration that the sampler reads and we do not have
 */
export function buildTrajectory(options: TrajectoryOptions): Trajectory {
  const { config, steps, eta = 0, temperature = 1 } = options
  const resolved =
    options.name === undefined ? schedulerOfClass(config.className) : schedulerNamed(options.name)
  const { name } = resolved
  const entry = schedulers[name]
  const refused = config.unsupported.find(({ readBy }) => readBy.includes(name))
  if (refused !== undefined) throw new TintypeError('UNSUPPORTED_MODEL', refused.message)

  checkSteps(steps, config)
  const begin = firstStep(steps, options.strength, config)
  inRange('temperature', temperature, 0, Number.MAX_VALUE)
  if (inRange('eta', eta, 0, 1) > 0 && !entry.eta) {
    throw invalid(`eta: ${name} has none.`, 'Choose the scheduler "ddim", or leave eta out.')
  }
  const asked = options.karras ?? (resolved.karras || undefined)
  if (asked === true && !entry.karras) {
    throw invalid(
      `karrasSigmas: ${name} takes no Karras sigmas.`,
      'Choose "dpmpp-2m" or "euler", or leave karrasSigmas out.',
    )
  }
  const karras = asked ?? (config.karras && entry.karrasFromConfig)

  const plan = entry.sampler({ config, steps, eta, karras })
  if (begin >= plan.length)
    throw invalid(`strength: ${options.strength} of ${plan.length} steps leaves no step.`)
  const rows = Array.from({ length: plan.length - begin }, (_, i) => plan.row(begin + i, begin))
  checkFinite(rows)
  const stochastic = rows.some(({ next }) => next.noise !== 0)
  const warnings = resolved.warning === undefined ? [] : [resolved.warning]
  if (temperature !== 1 && !stochastic)
    warnings.push(`temperature has no effect: ${name} adds no noise here.`)
  return {
    scheduler: name,
    karras,
    initial: options.strength === undefined ? { clean: 0, noise: plan.initialNoise } : plan.noised(begin),
    historyLength: plan.historyLength,
    rows: rows.map((row) => withTemperature(row, temperature)),
    stochastic,
    warnings,
  }
}
