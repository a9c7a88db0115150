// scheduler_config.json: read, checked, and told apart from what we cannot do.

import * as z from 'zod'
import { TintypeError } from '../errors.ts'
import { show } from '../show.ts'
import type { BetaConfig, SchedulerConfig, SchedulerName } from './contract.ts'

const mostTimesteps = 100_000
const flag = z.boolean().nullish()
const schema = z.object({
  _class_name: z.string().nullish(),
  num_train_timesteps: z.number().int().min(1).max(mostTimesteps).nullish(),
  beta_start: z.number().gt(0).lt(1).nullish(),
  beta_end: z.number().gt(0).lt(1).nullish(),
  beta_schedule: z.string().nullish(),
  trained_betas: z.array(z.number().gt(0).max(1)).max(mostTimesteps).nullish(),
  prediction_type: z.string().nullish(),
  timestep_spacing: z.enum(['leading', 'linspace', 'trailing']).nullish(),
  steps_offset: z.number().int().min(0).nullish(),
  set_alpha_to_one: flag,
  clip_sample: flag,
  rescale_betas_zero_snr: flag,
  use_karras_sigmas: flag,
  sigma_min: z.number().positive().nullish(),
  sigma_max: z.number().positive().nullish(),
  final_sigmas_type: z.enum(['zero', 'sigma_min']).nullish(),
  solver_order: z.number().int().nullish(),
  lower_order_final: flag,
  euler_at_final: flag,
  lambda_min_clipped: z.union([z.number(), z.literal(-Infinity)]).nullish(),
})

/** A field that changes the arithmetic: the values that we do, and the samplers whose classes read it. */
interface Limit {
  readonly field: string
  readonly supported: readonly unknown[]
  readonly readBy: readonly SchedulerName[]
  readonly advice?: string
}

const sigmaSamplers = ['euler', 'dpmpp-2m'] as const
const everySampler = ['ddim', 'euler', 'euler-ancestral', 'dpmpp-2m'] as const
// An absent or null field is diffusers' default, which is supported in every row.
const limits: readonly Limit[] = [
  {
    field: 'beta_schedule',
    supported: ['linear', 'scaled_linear', 'squaredcos_cap_v2'],
    readBy: everySampler,
  },
  { field: 'prediction_type', supported: ['epsilon', 'v_prediction', 'sample'], readBy: everySampler },
  {
    field: 'thresholding',
    supported: [false],
    readBy: ['ddim', 'dpmpp-2m'],
    advice: 'Set it to false in scheduler_config.json and pass `threshold` to generate().',
  },
  { field: 'use_exponential_sigmas', supported: [false], readBy: sigmaSamplers },
  { field: 'use_beta_sigmas', supported: [false], readBy: sigmaSamplers },
  { field: 'interpolation_type', supported: ['linear'], readBy: ['euler'] },
  { field: 'timestep_type', supported: ['discrete'], readBy: ['euler'] },
  { field: 'solver_order', supported: [1, 2], readBy: ['dpmpp-2m'] },
  // diffusers reads "deis" as "dpmsolver++", and the solver types of DEIS and UniPC as "midpoint".
  { field: 'algorithm_type', supported: ['dpmsolver++', 'deis'], readBy: ['dpmpp-2m'] },
  { field: 'solver_type', supported: ['midpoint', 'logrho', 'bh1', 'bh2'], readBy: ['dpmpp-2m'] },
  { field: 'use_lu_lambdas', supported: [false], readBy: ['dpmpp-2m'] },
  { field: 'use_flow_sigmas', supported: [false], readBy: ['dpmpp-2m'] },
  { field: 'use_dynamic_shifting', supported: [false], readBy: ['dpmpp-2m'] },
  { field: 'variance_type', supported: [], readBy: ['dpmpp-2m'] },
]

function unsupportedFields(json: object, where: string): SchedulerConfig['unsupported'] {
  const fields = new Map<string, unknown>(Object.entries(json))
  return limits.flatMap(({ field, supported, readBy, advice }) => {
    const value = fields.get(field) ?? undefined
    if (value === undefined || supported.includes(value)) return []
    const expected = supported.length === 0 ? 'none' : supported.map(show).join(' or ')
    const message = `${where}: ${field}: expected ${expected}, got ${show(value)}.`
    return [{ message: advice === undefined ? message : `${message} ${advice}`, readBy }]
  })
}

function parseBetas(fields: z.output<typeof schema>, count: number, where: string): BetaConfig {
  if (fields.trained_betas) {
    if (fields.trained_betas.length !== count) {
      const got = fields.trained_betas.length
      throw new TintypeError(
        'INVALID_CONFIG',
        `${where}: trained_betas: expected ${count} values, got ${got}.`,
      )
    }
    return { schedule: 'trained', values: fields.trained_betas }
  }
  const schedule = fields.beta_schedule
  return {
    // Another schedule is in `unsupported`, which every sampler refuses.
    schedule: schedule === 'scaled_linear' || schedule === 'squaredcos_cap_v2' ? schedule : 'linear',
    start: fields.beta_start ?? 0.0001,
    end: fields.beta_end ?? 0.02,
  }
}

/**
 * Reads a scheduler_config.json. Two fields are mended as diffusers' Stable Diffusion pipelines mend them, so that a
 * seed gives the same picture: `steps_offset` becomes 1 and `clip_sample` false, whatever the file says.
 *
 * Fields that ask for arithmetic we lack are kept in `unsupported`: `buildTrajectory` refuses them if the
 * chosen sampler reads them.
 *
 * @param json the parsed file
 * @param where its path, for messages
 * @throws TintypeError `INVALID_CONFIG` for a field of the wrong type or range
 */
export function parseSchedulerConfig(json: unknown, where: string): SchedulerConfig {
  const result = schema.safeParse(json)
  if (!result.success) {
    const issue = result.error.issues[0]!
    throw new TintypeError(
      'INVALID_CONFIG',
      `${where}: ${issue.path.join('.') || 'top level'}: ${issue.message}.`,
    )
  }
  const fields = result.data
  const numTrainTimesteps = fields.num_train_timesteps ?? 1000
  const prediction = fields.prediction_type
  return {
    className: fields._class_name ?? undefined,
    numTrainTimesteps,
    betas: parseBetas(fields, numTrainTimesteps, where),
    rescaleBetasZeroSnr: fields.rescale_betas_zero_snr ?? false,
    predictionType: prediction === 'v_prediction' || prediction === 'sample' ? prediction : 'epsilon',
    timestepSpacing: fields.timestep_spacing ?? undefined,
    stepsOffset: 1,
    setAlphaToOne: fields.set_alpha_to_one ?? true,
    karras: fields.use_karras_sigmas ?? false,
    sigmaMin: fields.sigma_min ?? undefined,
    sigmaMax: fields.sigma_max ?? undefined,
    finalSigma: fields.final_sigmas_type ?? 'zero',
    dpm: {
      solverOrder: fields.solver_order === 1 ? 1 : 2,
      lowerOrderFinal: fields.lower_order_final ?? true,
      eulerAtFinal: fields.euler_at_final ?? false,
      lambdaMinClipped: fields.lambda_min_clipped ?? -Infinity,
    },
    unsupported: unsupportedFields(typeof json === 'object' && json !== null ? json : {}, where),
  }
}
