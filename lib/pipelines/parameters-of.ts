// What the pictures of a generation say of how they were made: the options that changed them, and no others.

import type { Size } from '../image/input.ts'
import type { GenerationParameters } from '../image/parameters.ts'
import type { Trajectory } from '../schedulers/contract.ts'
import type { StepMerging } from './choose-merging.ts'
import type { Model } from './model.ts'
import type { ResolvedOptions } from './options.ts'

export interface Generation {
  readonly model: Model
  readonly options: ResolvedOptions
  readonly size: Size
  readonly trajectory: Trajectory
  readonly merging: StepMerging | undefined
  /** Whether any step was guided. */
  readonly guided: boolean
  /** One for each picture. */
  readonly prompts: readonly string[]
  readonly negatives: readonly string[]
}

/** Those of the picture at a position. */
export function parametersOf(generation: Generation, position: number): GenerationParameters {
  const { model, options, size, trajectory, merging, guided, prompts, negatives } = generation
  const { guidanceInterval, cacheInterval, eta, temperature, threshold } = options
  return {
    prompt: prompts[position]!,
    negativePrompt: guided ? negatives[position]! : '',
    steps: options.steps,
    scheduler: trajectory.scheduler,
    karras: trajectory.karras,
    guidanceScale: options.guidanceScale,
    ...(guided && (guidanceInterval[0] > 0 || guidanceInterval[1] < 1) && { guidanceInterval }),
    ...(cacheInterval > 1 && { cacheInterval }),
    ...(merging && { tokenMerging: merging.share }),
    seed: options.seed,
    rng: options.rng,
    ...(prompts.length > 1 && { batchSize: prompts.length, batchPosition: position }),
    ...(options.latents && { latents: 'given' }),
    ...size,
    model: model.name,
    ...(model.precision && { precision: model.precision }),
    ...(options.init !== undefined && { strength: options.strength }),
    ...(eta && { eta }),
    ...(trajectory.stochastic && temperature !== 1 && { temperature }),
    ...(threshold && { threshold }),
  }
}
