// Reading scheduler_config.json: what real folders ship, what is refused, what is replaced.

import { describe, expect, test } from 'vitest'
import { parseSchedulerConfig } from '../../../lib/schedulers/config.ts'
import { buildTrajectory } from '../../../lib/schedulers/trajectory.ts'
import { expectFewWords, hostileValues, replaced } from '../hostile-values.ts'

const where = 'scheduler_config.json'
/** What Stable Diffusion 1.5 ships. */
const sd15 = {
  _class_name: 'PNDMScheduler',
  _diffusers_version: '0.6.0',
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  beta_start: 0.00085,
  num_train_timesteps: 1000,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
  trained_betas: null,
  clip_sample: false,
}

function run(json: object, name?: string) {
  return buildTrajectory({ config: parseSchedulerConfig(json, where), name, steps: 4 })
}

describe('parseSchedulerConfig', () => {
  test('SD 1.5: PNDM is replaced by DDIM, and the user is told', () => {
    const trajectory = run(sd15)
    expect(trajectory.scheduler).toBe('ddim')
    expect(trajectory.rows.map(({ timestep }) => timestep)).toEqual([751, 501, 251, 1])
    expect(trajectory.warnings).toEqual([expect.stringContaining('PNDMScheduler')])
    expect(run(sd15, 'euler').warnings).toEqual([])
  })

  test('an empty file is DDIM with the defaults of diffusers', () => {
    expect(run({})).toMatchObject({ scheduler: 'ddim', warnings: [] })
    expect(parseSchedulerConfig({}, where)).toMatchObject({
      numTrainTimesteps: 1000,
      predictionType: 'epsilon',
    })
  })

  test('steps_offset and clip_sample are mended as the pipelines of diffusers do', () => {
    const mended = run({ ...sd15, _class_name: 'DDIMScheduler', steps_offset: 0, clip_sample: true })
    expect(mended.rows).toEqual(run(sd15).rows)
  })

  test.each([
    ['DDIMScheduler', 'ddim'],
    ['EulerDiscreteScheduler', 'euler'],
    ['EulerAncestralDiscreteScheduler', 'euler-ancestral'],
    ['DPMSolverMultistepScheduler', 'dpmpp-2m'],
  ])('%s is %s, without a warning', (className, scheduler) => {
    expect(run({ ...sd15, _class_name: className })).toMatchObject({ scheduler, warnings: [] })
  })

  test('use_karras_sigmas is read by the samplers whose class has it', () => {
    const karras = { ...sd15, use_karras_sigmas: true }
    expect(run(karras, 'euler').rows[1]!.sigma).not.toBe(run(sd15, 'euler').rows[1]!.sigma)
    expect(run(karras, 'euler-ancestral').rows).toEqual(run(sd15, 'euler-ancestral').rows)
    expect(run(karras, 'ddim').rows).toEqual(run(sd15, 'ddim').rows)
  })

  test.each([
    ['not an object', null],
    ['num_train_timesteps', { num_train_timesteps: 0 }],
    ['num_train_timesteps', { num_train_timesteps: '1000' }],
    ['beta_start', { beta_start: -1 }],
    ['timestep_spacing', { timestep_spacing: 'random' }],
    ['trained_betas', { trained_betas: [0.1, 0.2] }],
    ['steps_offset', { steps_offset: 0.5 }],
    ['set_alpha_to_one', { set_alpha_to_one: 'yes' }],
    ['final_sigmas_type', { final_sigmas_type: 'one' }],
  ])('a bad %s is INVALID_CONFIG', (field, json) => {
    const parse = () => parseSchedulerConfig(json, where)
    expect(parse).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }))
    expect(parse).toThrow(json === null ? where : field)
  })
})

test.each(hostileValues)('there are few words for %s', (_, value) => {
  const names = ['beta_schedule', 'variance_type', 'solver_type']
  const json = { ...sd15, ...Object.fromEntries(names.map((name) => [name, 'x'])) }
  for (const one of [value, ...replaced(json, value)]) {
    expectFewWords(() => {
      const config = parseSchedulerConfig(one, where)
      for (const name of [undefined, 'ddim', 'dpmpp-2m']) buildTrajectory({ config, name, steps: 4 })
    })
  }
  expectFewWords(() => run(sd15, 'x'.repeat(1e6)))
})

describe('fields that change the arithmetic and are not supported', () => {
  test.each([
    ['beta_schedule', 'sigmoid', 'ddim'],
    ['prediction_type', 'flow_prediction', 'dpmpp-2m'],
    ['thresholding', true, 'ddim'],
    ['thresholding', true, 'dpmpp-2m'],
    ['use_exponential_sigmas', true, 'euler'],
    ['use_beta_sigmas', true, 'dpmpp-2m'],
    ['interpolation_type', 'log_linear', 'euler'],
    ['timestep_type', 'continuous', 'euler'],
    ['solver_order', 3, 'dpmpp-2m'],
    ['solver_type', 'heun', 'dpmpp-2m'],
    ['algorithm_type', 'sde-dpmsolver++', 'dpmpp-2m'],
    ['use_lu_lambdas', true, 'dpmpp-2m'],
    ['use_flow_sigmas', true, 'dpmpp-2m'],
    ['variance_type', 'learned_range', 'dpmpp-2m'],
  ])('%s %j is refused by %s', (field, value, name) => {
    const refused = () => run({ ...sd15, [field]: value }, name)
    expect(refused).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_MODEL' }))
    expect(refused).toThrow(`${where}: ${field}`)
  })

  test('a field that the sampler does not read does not matter', () => {
    const json = { ...sd15, solver_order: 3, thresholding: true, timestep_type: 'continuous' }
    expect(run(json, 'euler-ancestral').rows).toEqual(run(sd15, 'euler-ancestral').rows)
  })

  test('a scheduler of another kind of model is refused unless one is chosen', () => {
    const flow = { _class_name: 'FlowMatchEulerDiscreteScheduler' }
    expect(() => run(flow)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_MODEL' }))
    expect(() => run({ _class_name: 'constructor' })).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_MODEL' }),
    )
    expect(run(flow, 'euler').scheduler).toBe('euler')
  })
})
