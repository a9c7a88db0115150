// The samplers by name: ours, those that A1111 and diffusers users type, and what stands in for those we lack.

import { TintypeError } from '../errors.ts'
import { suggestion } from '../nearest.ts'
import { shorten, show } from '../show.ts'
import type { Sampler, SchedulerName } from './contract.ts'
import { ddim } from './ddim.ts'
import { dpmpp2m } from './dpmpp-2m.ts'
import { euler } from './euler.ts'
import { eulerAncestral } from './euler-ancestral.ts'

/** A sampler and what may be asked of it. */
export interface SchedulerEntry {
  readonly sampler: Sampler
  /** Takes Karras sigmas. */
  readonly karras: boolean
  /** Its class in diffusers reads `use_karras_sigmas` from the file. */
  readonly karrasFromConfig: boolean
  /** Takes eta. */
  readonly eta: boolean
}

/** Every sampler by its name. */
export const schedulers: Readonly<Record<SchedulerName, SchedulerEntry>> = {
  ddim: { sampler: ddim, karras: false, karrasFromConfig: false, eta: true },
  euler: { sampler: euler, karras: true, karrasFromConfig: true, eta: false },
  'euler-ancestral': { sampler: eulerAncestral, karras: true, karrasFromConfig: false, eta: false },
  'dpmpp-2m': { sampler: dpmpp2m, karras: true, karrasFromConfig: true, eta: false },
}

/** The names of the samplers, for messages, the command line and completion. */
export const schedulerNames: readonly SchedulerName[] = ['ddim', 'euler', 'euler-ancestral', 'dpmpp-2m']

/** Other spellings, compared without case, blanks, `-` and `_`. "Karras" in A1111's names sets `karras`. */
const aliases: Readonly<Record<string, { readonly name: SchedulerName; readonly karras?: true }>> = {
  eulera: { name: 'euler-ancestral' },
  'dpm++2m': { name: 'dpmpp-2m' },
  eulerkarras: { name: 'euler', karras: true },
  eulerakarras: { name: 'euler-ancestral', karras: true },
  eulerancestralkarras: { name: 'euler-ancestral', karras: true },
  dpmpp2mkarras: { name: 'dpmpp-2m', karras: true },
  'dpm++2mkarras': { name: 'dpmpp-2m', karras: true },
}

/** Class names of scheduler_config.json that are our samplers. */
const classes: Readonly<Record<string, SchedulerName>> = {
  DDIMScheduler: 'ddim',
  EulerDiscreteScheduler: 'euler',
  EulerAncestralDiscreteScheduler: 'euler-ancestral',
  DPMSolverMultistepScheduler: 'dpmpp-2m',
}

/** Samplers for the same models that we lack, with the nearest that we have: same family, order or noise. */
const replacements: Readonly<Record<string, SchedulerName>> = {
  PNDMScheduler: 'ddim',
  DDPMScheduler: 'ddim',
  LMSDiscreteScheduler: 'euler',
  HeunDiscreteScheduler: 'euler',
  KDPM2DiscreteScheduler: 'euler',
  KDPM2AncestralDiscreteScheduler: 'euler-ancestral',
  DEISMultistepScheduler: 'dpmpp-2m',
  DPMSolverSinglestepScheduler: 'dpmpp-2m',
  UniPCMultistepScheduler: 'dpmpp-2m',
}

/** A name that a user wrote, understood. */
export interface ResolvedScheduler {
  readonly name: SchedulerName
  /** The name itself asks for Karras sigmas. */
  readonly karras: boolean
  readonly warning: string | undefined
}

/**
 * The sampler of a name: ours, A1111's ("Euler a", "DPM++ 2M Karras") or diffusers' class.
 *
 * @throws TintypeError `UNKNOWN_OPTION` naming the nearest right name
 */
export function schedulerNamed(name: string): ResolvedScheduler {
  const plain = (text: string) => text.toLowerCase().replace(/[\s_-]/g, '')
  const wanted = plain(String(name))
  const exact = schedulerNames.find((known) => plain(known) === wanted)
  const alias = Object.hasOwn(aliases, wanted) ? aliases[wanted] : undefined
  const fromClass = Object.hasOwn(classes, name) ? classes[name] : undefined
  const found = exact ?? alias?.name ?? fromClass
  if (found === undefined) {
    throw new TintypeError('UNKNOWN_OPTION', `scheduler: there is no ${show(name)}.`, {
      advice: suggestion(String(name), schedulerNames),
    })
  }
  return { name: found, karras: alias?.karras ?? false, warning: undefined }
}

/**
 * The sampler of a scheduler_config.json's `_class_name`. One that we lack is replaced, and the warning says so: every
 * SD 1.5 folder ships PNDM, and a sampler is the user's choice more than the model's.
 *
 * @throws TintypeError `UNSUPPORTED_MODEL` for a class of another kind of model
 */
export function schedulerOfClass(className: string | undefined): ResolvedScheduler {
  if (className === undefined) return { name: 'ddim', karras: false, warning: undefined }
  if (Object.hasOwn(classes, className))
    return { name: classes[className]!, karras: false, warning: undefined }
  if (Object.hasOwn(replacements, className)) {
    const name = replacements[className]!
    return {
      name,
      karras: false,
      warning: `The model names ${className}, which tintype does not have; ${name} is used in its place.`,
    }
  }
  throw new TintypeError(
    'UNSUPPORTED_MODEL',
    `scheduler_config.json: _class_name: ${shorten(className)} is not supported.`,
    {
      advice: `If it is a Stable Diffusion 1.x or 2.x model, choose a scheduler: ${schedulerNames.join(', ')}.`,
    },
  )
}
