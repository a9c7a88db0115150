// The text in which pictures carry how they were made, as A1111 writes it and most tools read it.

import { invalid } from '../check-options.ts'
import type { Precision } from '../runtime/target.ts'
import { showArgument } from '../show.ts'

/**
 * What it takes to paint a picture again, besides the model, the picture that it started from and `latents` that were
 * given. What is optional is there where it changed the picture. `exact`, `vaeTiling`, `sequentialGuidance` and the
 * number of threads, which change rounding alone, are not told.
 */
export interface GenerationParameters {
  readonly prompt: string
  readonly negativePrompt: string
  readonly steps: number
  /** By tintype's name. */
  readonly scheduler: string
  readonly karras: boolean
  readonly guidanceScale: number
  /** Where guidance worked in a part of the steps: shares of the run. */
  readonly guidanceInterval?: readonly [number, number]
  /** Where features were used again: one step in so many computed the whole UNet. */
  readonly cacheInterval?: number
  /** Where tokens were merged: what share of them. */
  readonly tokenMerging?: number
  readonly seed: bigint
  /** Whose noise the seed gave. */
  readonly rng: 'torch-cpu' | 'torch-cuda'
  /**
   * Where several pictures were painted at once, how many. They share the noise of the seed: with `count: batchSize` and
   * the other options, `images[batchPosition]` is this picture again.
   */
  readonly batchSize?: number
  /** Which of them it is, from 0. */
  readonly batchPosition?: number
  /** The start was not the seed's noise but `latents`. */
  readonly latents?: 'given'
  readonly width: number
  readonly height: number
  readonly model: string
  /** Where it was not float32 over the weights as they are stored. */
  readonly precision?: Precision
  /** Of image to image. */
  readonly strength?: number
  /** DDIM's, where it added noise. */
  readonly eta?: number
  /** Where the noise of a stochastic sampler was scaled. */
  readonly temperature?: number
  readonly threshold?: { readonly percentile: number; readonly max: number }
}

const samplerNames: ReadonlyMap<string, string> = new Map([
  ['ddim', 'DDIM'],
  ['euler', 'Euler'],
  ['euler-ancestral', 'Euler a'],
  ['dpmpp-2m', 'DPM++ 2M'],
])

/** A1111 quotes values, as JSON does, where they would be taken apart otherwise. */
const quote = (value: string) => (/[,:"\n]/.test(value) ? JSON.stringify(value) : value)

/** As A1111 calls its generators: `NV` is CUDA's noise on any machine. A text that names none would mean that of a GPU. */
const generators = { 'torch-cpu': 'CPU', 'torch-cuda': 'NV' } as const

/** By A1111's names where it has one: its `Sigma noise` is the temperature. */
const settingsOf = (
  parameters: GenerationParameters,
): readonly (readonly [string, string | number | bigint | undefined])[] => {
  const { scheduler, karras, width, height, threshold } = parameters
  const sampler = samplerNames.get(scheduler) ?? scheduler
  return [
    ['Steps', parameters.steps],
    ['Sampler', karras ? `${sampler} Karras` : sampler],
    ['CFG scale', parameters.guidanceScale],
    ['Seed', parameters.seed],
    ['Size', `${width}x${height}`],
    ['Model', parameters.model],
    ['Precision', parameters.precision],
    ['Batch size', parameters.batchSize],
    ['Batch pos', parameters.batchPosition],
    ['Denoising strength', parameters.strength],
    ['Eta DDIM', parameters.eta],
    ['Sigma noise', parameters.temperature],
    ['Threshold percentile', threshold?.percentile],
    ['Threshold max', threshold?.max],
    ['Guidance interval', parameters.guidanceInterval?.join('-')],
    ['Cache interval', parameters.cacheInterval],
    ['Token merging ratio', parameters.tokenMerging],
    ['Latents', parameters.latents],
    ['RNG', generators[parameters.rng]],
    ['Version', 'tintype'],
  ]
}

/**
 * @example
 * red apple
 * Negative prompt: blurry
 * Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 1, Size: 512x512, Model: default, RNG: CPU, Version: tintype
 */
export function formatParameters(parameters: GenerationParameters): string {
  const { prompt, negativePrompt } = parameters
  const lines = [prompt]
  if (negativePrompt !== '') lines.push(`Negative prompt: ${negativePrompt}`)
  const settings = settingsOf(parameters).filter(([, value]) => value !== undefined)
  lines.push(settings.map(([name, value]) => `${name}: ${quote(String(value))}`).join(', '))
  return lines.join('\n')
}

/** What `parseParameters` finds; a setting that the text lacks is undefined. */
export interface ParsedParameters {
  readonly prompt: string
  readonly negativePrompt: string
  /** All settings by A1111's names: `Steps`, `Sampler`, `CFG scale`, `Seed`, `Size`, ... */
  readonly settings: ReadonlyMap<string, string>
}

/** A name begins with no space: two parts that could both take spaces would try every way to share them. */
const setting = /\s*(\w[\w ]*):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)/gy

/** No settings are as long; a quoted value of some megabytes would overflow the stack of the pattern. */
const mostSettings = 2 ** 20

function unquote(value: string): string {
  if (!value.startsWith('"')) return value.trim()
  try {
    return String(JSON.parse(value))
  } catch {
    return value
  }
}

/**
 * Reads A1111's text back. Text without settings is all prompt.
 *
 * @throws TintypeError `INVALID_ARGUMENT` for what is no text
 * @example
 * parseParameters('red apple\nSteps: 20, Seed: 1').settings.get('Seed') // '1'
 */
export function parseParameters(text: string): ParsedParameters {
  if (typeof text !== 'string') {
    throw invalid(
      `parseParameters() takes a string, got ${showArgument(text)}.`,
      'A picture without parameters has no such text.',
    )
  }
  const lines = text.trim().split('\n')
  const last = lines.at(-1)!
  const pairs = last.length > mostSettings ? [] : [...last.matchAll(setting)]
  // As A1111 does: fewer than three pairs are a prompt that happens to have a colon.
  const isSettings = pairs.length >= 3
  const texts = isSettings ? lines.slice(0, -1) : lines
  const negative = texts.findIndex((line) => line.startsWith('Negative prompt:'))
  const [prompt, rest] = negative < 0 ? [texts, []] : [texts.slice(0, negative), texts.slice(negative)]
  return {
    prompt: prompt.join('\n').trim(),
    negativePrompt: rest.join('\n').replace('Negative prompt:', '').trim(),
    settings: new Map(isSettings ? pairs.map(([, name, value]) => [name!.trim(), unquote(value!)]) : []),
  }
}
