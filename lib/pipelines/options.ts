// The options of generate(): checked once, completed with the model's defaults, refused with a sentence that helps.

import { randomBytes } from 'node:crypto'
import * as z from 'zod'
import { type Call, checkOptions, invalid } from '../check-options.ts'
import type { ImageInput } from '../image/input.ts'
import { loadOptionNames } from './load-options.ts'
import type { GenerateOptions, ProgressEvent } from './types.ts'

export const largestSide = 16384
/** No latents come near it. */
const largestBound = 1e6
const largestSeed = 2n ** 64n - 1n

const integer = (min: number, max: number) =>
  z.number().int().min(min).max(max).describe(`an integer from ${min} to ${max}`)
const real = (min: number, max: number) =>
  z.number().min(min).max(max).describe(`a number from ${min} to ${max}`)
const share = z.number().gt(0).max(1).describe('a number above 0 and at most 1')
const text = z.string()
const texts = z
  .union([text, z.array(text).min(1).max(1024)])
  .describe('a string or a list of 1 to 1024 strings')
const seed = z
  .union([z.bigint().min(0n).max(largestSeed), z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)])
  .describe('an integer from 0 to 2^64 - 1 (above 2^53 as a bigint)')

const schema = {
  prompt: texts,
  negativePrompt: texts,
  width: integer(1, largestSide),
  height: integer(1, largestSide),
  steps: integer(1, 1000),
  guidanceScale: real(0, 1000),
  guidanceInterval: z
    .tuple([real(0, 1), real(0, 1)])
    .refine(([from, to]) => from < to)
    .describe('two shares of the run, such as [0.2, 0.8]'),
  sequentialGuidance: z.boolean().describe('true or false'),
  cacheInterval: integer(1, 1000),
  tokenMerging: real(0, 0.75),
  seed,
  rng: z.enum(['torch-cpu', 'torch-cuda']).describe('"torch-cpu" or "torch-cuda"'),
  scheduler: text.describe('the name of a scheduler'),
  karrasSigmas: z.boolean().describe('true or false'),
  count: integer(1, 1000),
  init: z
    .custom<ImageInput>((value) => value !== undefined)
    .describe('a path, the bytes of a file, or pixels'),
  strength: share,
  temperature: real(0, 100),
  eta: real(0, 1),
  threshold: z
    .union([
      share,
      z.strictObject({ percentile: share, max: z.number().min(1).max(largestBound).optional() }),
    ])
    .describe('a percentile above 0 and at most 1, or { percentile, max } with max of at least 1'),
  latents: z.instanceof(Float32Array).describe('a Float32Array of unit noise'),
  output: z.enum(['pictures', 'latents']).describe('"pictures" or "latents"'),
  previewEvery: integer(0, 1000),
  signal: z.instanceof(AbortSignal).describe('an AbortSignal'),
  onProgress: z
    .custom<(event: ProgressEvent) => void>((value) => typeof value === 'function')
    .describe('a function'),
} satisfies Record<keyof GenerateOptions, z.ZodType>

/** Options of diffusers and A1111 whose names are not near to ours. */
const aliases: ReadonlyMap<string, keyof GenerateOptions> = new Map([
  ['numinferencesteps', 'steps'],
  ['samplingsteps', 'steps'],
  ['cfg', 'guidanceScale'],
  ['cfgscale', 'guidanceScale'],
  ['numimagesperprompt', 'count'],
  ['batchsize', 'count'],
  ['image', 'init'],
  ['initimages', 'init'],
  ['denoisingstrength', 'strength'],
  ['samplername', 'scheduler'],
  ['sampler', 'scheduler'],
  ['generator', 'seed'],
])

/** What a model brings along for options that are not given. */
export interface ModelDefaults {
  readonly width: number
  readonly height: number
  /** Pixels to a latent: sizes are multiples of it. */
  readonly factor: number
  readonly guidanceScale: number
  readonly steps: number
}

/** Every option has its value, but for the size. One entry in the lists for each prompt. */
export interface ResolvedOptions {
  readonly prompts: readonly string[]
  readonly negativePrompts: readonly string[]
  /** Undefined where it was not given: `pictureSize` knows it. */
  readonly width: number | undefined
  readonly height: number | undefined
  readonly steps: number
  readonly guidanceScale: number
  readonly guidanceInterval: readonly [number, number]
  readonly sequentialGuidance: boolean
  readonly cacheInterval: number
  readonly tokenMerging: number
  readonly seed: bigint
  readonly rng: 'torch-cpu' | 'torch-cuda'
  readonly scheduler: string | undefined
  readonly karrasSigmas: boolean | undefined
  readonly count: number
  readonly init: ImageInput | undefined
  readonly strength: number
  readonly temperature: number
  readonly eta: number | undefined
  readonly threshold: { readonly percentile: number; readonly max: number } | undefined
  readonly latents: Float32Array | undefined
  readonly output: 'pictures' | 'latents'
  readonly previewEvery: number
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((event: ProgressEvent) => void) | undefined
}

/** Types and ranges of each option by itself. */
function checkEach(given: unknown): GenerateOptions {
  checkOptions(given, schema, {
    ...{ caller: 'generate()', example: '{ prompt: "red apple" }', aliases },
    elsewhere: { caller: 'load()', names: loadOptionNames },
  })
  if (given.prompt === undefined)
    throw invalid('Option prompt is missing.', 'An empty string is a valid prompt.')
  return given as unknown as GenerateOptions
}

/**
 * The options of a stage that generate() has too, and no others.
 *
 * @throws TintypeError `UNKNOWN_OPTION`, `INVALID_ARGUMENT`
 */
export function stageOptions<Name extends keyof GenerateOptions>(
  given: unknown,
  names: readonly Name[],
  call: Call,
): Pick<GenerateOptions, Name> {
  checkOptions(given, Object.fromEntries(names.map((name) => [name, schema[name]])), call)
  return given as Pick<GenerateOptions, Name>
}

function checkSide(name: 'width' | 'height', pixels: number | undefined, factor: number): number | undefined {
  if (pixels === undefined || pixels % factor === 0) return pixels
  const below = Math.floor(pixels / factor) * factor
  const near = below > 0 ? `${below} or ${below + factor}` : `${factor}`
  throw invalid(
    `Option ${name} must be a multiple of ${factor} for this model, got ${pixels}.`,
    `Try ${near}.`,
  )
}

function negatives(given: GenerateOptions['negativePrompt'], prompts: number): readonly string[] {
  const list = typeof given === 'object' ? given : Array.from({ length: prompts }, () => given ?? '')
  if (list.length === prompts) return list
  throw invalid(
    `There are ${prompts} prompts but ${list.length} negative prompts.`,
    'Give one for all, or one for each.',
  )
}

/** Options that are each right but not together. */
function checkTogether(options: GenerateOptions): void {
  if (options.strength !== undefined && options.init === undefined) {
    throw invalid('Option strength needs a picture to start from.', 'Give init as well.')
  }
  if (options.init !== undefined && options.latents !== undefined) {
    throw invalid('Options init and latents exclude each other.')
  }
}

/** Without a largest bound, as in the paper: diffusers' own, 1, would leave the percentile no say. */
function resolveThreshold(given: GenerateOptions['threshold']): ResolvedOptions['threshold'] {
  if (given === undefined) return undefined
  const { percentile, max = largestBound } = typeof given === 'number' ? { percentile: given } : given
  return { percentile, max }
}

/**
 * Checks options and fills in what is missing.
 *
 * @throws TintypeError `UNKNOWN_OPTION` with the nearest name, `INVALID_ARGUMENT` with what was expected and what came
 */
export function resolveOptions(given: unknown, defaults: ModelDefaults): ResolvedOptions {
  const options = checkEach(given)
  checkTogether(options)
  const prompts = typeof options.prompt === 'string' ? [options.prompt] : options.prompt
  return {
    prompts,
    negativePrompts: negatives(options.negativePrompt, prompts.length),
    width: checkSide('width', options.width, defaults.factor),
    height: checkSide('height', options.height, defaults.factor),
    steps: options.steps ?? defaults.steps,
    guidanceScale: options.guidanceScale ?? defaults.guidanceScale,
    guidanceInterval: options.guidanceInterval ?? [0, 1],
    sequentialGuidance: options.sequentialGuidance ?? false,
    cacheInterval: options.cacheInterval ?? 1,
    tokenMerging: options.tokenMerging ?? 0,
    seed: BigInt(options.seed ?? randomBytes(4).readUInt32LE()),
    rng: options.rng ?? 'torch-cpu',
    scheduler: options.scheduler,
    karrasSigmas: options.karrasSigmas,
    count: options.count ?? 1,
    init: options.init,
    strength: options.strength ?? 0.8,
    temperature: options.temperature ?? 1,
    eta: options.eta,
    threshold: resolveThreshold(options.threshold),
    latents: options.latents,
    output: options.output ?? 'pictures',
    previewEvery: options.previewEvery ?? 0,
    signal: options.signal,
    onProgress: options.onProgress,
  }
}
