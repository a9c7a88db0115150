// One generation from options to pictures: numbered phases, no maths.

import { TintypeError } from '../errors.ts'
import { Picture } from '../image/picture.ts'
import type { Trajectory } from '../schedulers/contract.ts'
import { createGenerator } from '../schedulers/noise.ts'
import { buildTrajectory } from '../schedulers/trajectory.ts'
import { chooseMerging } from './choose-merging.ts'
import { denoise } from './denoise.ts'
import { decodePictures, encodePicture } from './image-stages.ts'
import { type ImageShape, toChannelsFirst, toChannelsLast } from './layout.ts'
import type { Model } from './model.ts'
import type { ResolvedOptions } from './options.ts'
import { parametersOf } from './parameters-of.ts'
import { pictureSize } from './picture-size.ts'
import { requireRoom } from './require-room.ts'
import { withJson } from './result.ts'
import { stepKinds } from './step-kinds.ts'
import { encodeTexts } from './text-stage.ts'
import type { GenerateEvent, GenerateResult, StageEvent, Timings } from './types.ts'
import { unknownWords } from './unknown-words.ts'

type Generator = ReturnType<typeof createGenerator>

/** Measures stages: `enter` ends one and begins the next. */
class Stopwatch {
  readonly #begin = performance.now()
  readonly #spent = { text: 0, encode: 0, denoise: 0, decode: 0 }
  #stage: StageEvent['stage'] | undefined
  #since = this.#begin

  get elapsedMs(): number {
    return performance.now() - this.#begin
  }

  enter(stage: StageEvent['stage']): StageEvent {
    this.#leave()
    this.#stage = stage
    return { type: 'stage', stage, elapsedMs: this.elapsedMs }
  }

  finish(): Timings {
    this.#leave()
    return { ...this.#spent, total: this.elapsedMs }
  }

  #leave(): void {
    const now = performance.now()
    if (this.#stage) this.#spent[this.#stage] += now - this.#since
    this.#since = now
  }
}

function checkLatents(latents: Float32Array, { n, c, h, w }: ImageShape): void {
  if (latents.length !== n * c * h * w) {
    throw new TintypeError(
      'INVALID_ARGUMENT',
      `Option latents must hold (${n}, ${c}, ${h}, ${w}) = ${n * c * h * w} values, got ${latents.length}.`,
    )
  }
  if (!latents.every(Number.isFinite)) {
    throw new TintypeError('INVALID_ARGUMENT', 'Option latents has values that are not finite.')
  }
}

/**
 * Where the loop starts, (n, h, w, c). Draws in the order of diffusers: first the posterior's noise, once for the one
 * picture to start from, then the start's, all pictures at once.
 */
async function startLatents(
  model: Model,
  options: ResolvedOptions,
  { shape, trajectory, generator }: { shape: ImageShape; trajectory: Trajectory; generator: Generator },
): Promise<Float32Array> {
  const { n, c, h, w } = shape
  const { initial } = trajectory
  const start = new Float32Array(n * c * h * w)
  if (options.init !== undefined) {
    const posterior = toChannelsLast(generator.randn(c * h * w), { ...shape, n: 1 })
    const clean = await encodePicture(model, options.init, { h, w }, posterior, options.signal)
    for (let i = 0; i < start.length; i++) start[i] = initial.clean * clean[i % clean.length]!
  }
  const noise = toChannelsLast(options.latents ?? generator.randn(start.length), shape)
  for (let i = 0; i < start.length; i++) start[i]! += initial.noise * noise[i]!
  return start
}

/** Every prompt `count` times, copies side by side. */
const spread = <T>(list: readonly T[], count: number): T[] =>
  list.flatMap((item) => Array.from({ length: count }, () => item))

/** Yields events; the last one carries the result. */
export async function* runGeneration(
  model: Model,
  options: ResolvedOptions,
): AsyncGenerator<GenerateEvent, void, void> {
  const { signal, seed, steps, guidanceScale, guidanceInterval, cacheInterval } = options
  const { factor, latentChannels } = model.configs.vae
  const watch = new Stopwatch()

  // 1. Everything that can be wrong is found before the first op runs.
  if (signal?.aborted) {
    throw new TintypeError('ABORTED', 'The generation was aborted before it began.', { cause: signal.reason })
  }
  const { width, height, warnings: sizeWarnings } = await pictureSize(options, model.defaults)
  const shape: ImageShape = {
    n: options.prompts.length * options.count,
    c: latentChannels,
    h: height / factor,
    w: width / factor,
  }
  requireRoom(model, shape, options.output === 'pictures')
  if (options.latents) checkLatents(options.latents, shape)
  const merging = chooseMerging(
    { config: model.configs.unet, size: { height: shape.h, width: shape.w } },
    options,
  )
  const trajectory = buildTrajectory({
    config: model.scheduler,
    name: options.scheduler,
    steps,
    strength: options.init === undefined ? undefined : options.strength,
    eta: options.eta,
    temperature: options.temperature,
    karras: options.karrasSigmas,
  })
  const generator = createGenerator({ seed, rng: options.rng })
  const kinds = stepKinds(trajectory.rows.length, {
    guided: guidanceScale > 1,
    guidanceInterval,
    cacheInterval,
  })
  const guided = kinds.some((kind) => kind.guided)

  // 2. Prompts to embeddings.
  yield watch.enter('text')
  const prompts = spread(options.prompts, options.count)
  const negatives = spread(options.negativePrompts, options.count)
  const texts = await encodeTexts(model, [...prompts, ...(guided ? negatives : [])], signal)
  const unknown = unknownWords(model, options.prompts)
  const warnings = [...sizeWarnings, ...trajectory.warnings, ...texts.warnings, ...unknown]
  if (guidanceScale <= 1 && negatives.some((negative) => negative !== '')) {
    warnings.push(`negativePrompt has no effect: guidanceScale is ${guidanceScale}, not above 1.`)
  }
  if (options.threshold?.max === 1) {
    warnings.push('threshold: a max of 1 clamps the latents to [-1, 1] whatever the percentile is.')
  }
  if (guidanceScale > 1 && !guided) {
    warnings.push(`None of the ${kinds.length} steps lies in guidanceInterval: the picture is not guided.`)
  }

  // 3. Noise, or the picture to start from with noise on it.
  if (options.init !== undefined) yield watch.enter('encode')
  const latents = await startLatents(model, options, { shape, trajectory, generator })

  const made = { model, options, size: { width, height }, trajectory, merging, guided, prompts, negatives }
  const toPictures = async (values: Float32Array) => {
    const decoded = await decodePictures(model, values, shape, signal)
    return decoded.map((data, i) =>
      Picture.of({ width, height, data, seed, parameters: parametersOf(made, i) }),
    )
  }

  // 4. The denoising loop.
  yield watch.enter('denoise')
  const loop = denoise({
    model,
    trajectory,
    latents,
    shape,
    prompts: prompts.map(texts.of),
    negatives: guided ? negatives.map(texts.of) : undefined,
    guidanceScale,
    sequentialGuidance: options.sequentialGuidance,
    kinds,
    merging,
    threshold: options.threshold,
    drawNoise: () => generator.randn(latents.length),
    wantClean: options.previewEvery > 0,
    signal,
  })
  for await (const { index, row, clean } of loop) {
    const preview = clean && (index + 1) % options.previewEvery === 0 ? await toPictures(clean) : undefined
    yield {
      type: 'step',
      step: index + 1,
      steps: trajectory.rows.length,
      sigma: row.sigma,
      elapsedMs: watch.elapsedMs,
      ...(preview && { preview }),
    }
  }
  if (!latents.every(Number.isFinite)) {
    warnings.push('The latents are not finite: the weights or the guidance scale are out of range.')
  }

  // 5. Latents to pixels.
  let images: GenerateResult['images'] = []
  if (options.output === 'pictures') {
    yield watch.enter('decode')
    images = await toPictures(latents)
  }
  yield {
    type: 'result',
    result: withJson({
      images,
      latents: toChannelsFirst(latents, shape),
      latentsShape: [shape.n, shape.c, shape.h, shape.w],
      seed,
      timings: watch.finish(),
      warnings,
    }),
  }
}
