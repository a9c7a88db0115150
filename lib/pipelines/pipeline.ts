// What users hold: a loaded model, its generations, and its end.

import { setMaxListeners } from 'node:events'
import { invalid } from '../check-options.ts'
import { TintypeError } from '../errors.ts'
import type { ImageInput } from '../image/input.ts'
import { createGenerator } from '../schedulers/noise.ts'
import { showArgument } from '../show.ts'
import { type ChosenDevices, chooseDevices } from './choose-device.ts'
import { copyImage, copyOptions } from './copy-options.ts'
import { runGeneration } from './generation.ts'
import { decodePictures, encodePicture } from './image-stages.ts'
import { toChannelsFirst, toChannelsLast } from './layout.ts'
import { type LoadOptions, resolveLoadOptions } from './load-options.ts'
import { type Model, openModel } from './model.ts'
import { resolveOptions, stageOptions } from './options.ts'
import { pictureSize } from './picture-size.ts'
import { requireRoom } from './require-room.ts'
import { encodeTexts } from './text-stage.ts'
import type { GenerateEvent, GenerateOptions, GenerateResult } from './types.ts'

/** Latents with their shape (n, c, height/f, width/f). */
export interface Latents {
  readonly data: Float32Array
  readonly shape: readonly [number, number, number, number]
}

/** RGB bytes, rows from the top. */
export interface Pixels {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
}

export interface PipelineInfo {
  readonly name: string
  readonly folder: string
  /** Where it computes: `cpu`, or one GPU or several. */
  readonly devices: readonly { readonly name: string; readonly description: string | undefined }[]
  /** Why it is the CPU, where `device: 'auto'` would have taken a GPU. */
  readonly deviceNote: string | undefined
  /** Of the sampler that the folder names. */
  readonly scheduler: string
  readonly defaults: Model['defaults']
  readonly components: readonly {
    readonly name: string
    readonly bytes: number
    readonly dtypes: readonly string[]
  }[]
}

/**
 * A Stable Diffusion 1.x or 2.x model, ready to paint. Several generations may run at once; they share the weights.
 *
 * @example
 * await using pipeline = await load('./stable-diffusion-v1-5')
 * const { images } = await pipeline.generate({ prompt: 'a lighthouse at dusk', seed: 1 })
 * await images[0].toFile('lighthouse.png')
 */
export class Pipeline {
  readonly #model: Model
  readonly #chosen: ChosenDevices
  readonly #end = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #disposal: Promise<void> | undefined

  /** @internal use `load()` */
  constructor(model: Model, chosen: ChosenDevices) {
    this.#model = model
    this.#chosen = chosen
  }

  get info(): PipelineInfo {
    const { name, folder, scheduler, defaults, textEncoder, unet, vae } = this.#model
    return {
      name,
      folder,
      devices: this.#chosen.targets.map(({ name, description }) => ({ name, description })),
      deviceNote: this.#chosen.note,
      scheduler: scheduler.className ?? 'ddim',
      defaults,
      components: [textEncoder, unet, vae].map((part) => ({
        name: part.name,
        bytes: part.bytes,
        dtypes: part.dtypes,
      })),
    }
  }

  /**
   * Paints pictures. Options are read at the call: changing them, or what they hold, afterwards changes nothing.
   *
   * @throws TintypeError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `INVALID_IMAGE`, `ABORTED`, `OUT_OF_MEMORY`, `DISPOSED`
   */
  async generate(options: GenerateOptions): Promise<GenerateResult> {
    for await (const event of this.stream(options)) {
      if (event.type === 'result') return event.result
    }
    throw new TintypeError('INTERNAL', 'The generation ended without a result.')
  }

  /**
   * The same as `generate`, event by event. Leaving the loop early ends the generation; `dispose()` does not wait for whoever
   * has an event and asks for no other.
   *
   * @example
   * for await (const event of pipeline.stream({ prompt: 'red apple' })) {
   *   if (event.type === 'step') console.log(`${event.step}/${event.steps}`)
   *   if (event.type === 'result') await event.result.images[0].toFile('apple.png')
   * }
   */
  stream(options: GenerateOptions): AsyncGenerator<GenerateEvent, void, void> {
    return this.#stream(copyOptions(options))
  }

  async *#stream(options: GenerateOptions): AsyncGenerator<GenerateEvent, void, void> {
    const resolved = resolveOptions(options, this.#model.defaults)
    const signal = this.#withEnd(resolved.signal)
    let end = this.#begin()
    try {
      for await (const event of runGeneration(this.#model, { ...resolved, signal })) {
        if (event.type !== 'result') resolved.onProgress?.(event)
        // Nothing runs until the caller asks for the next event, which may be never, or after `await dispose()`.
        end()
        yield event
        if (event.type !== 'result') end = this.#begin()
      }
    } catch (error) {
      throw this.#end.signal.aborted ? disposed() : error
    } finally {
      end()
    }
  }

  /** The (77) token ids of a prompt, padded; what does not fit is cut. */
  tokenize(prompt: string): Int32Array {
    checkPrompt('tokenize()', prompt)
    return this.#model.tokenizer.tokenize(prompt).ids
  }

  /** The text encoder's last hidden state, (77, width). */
  async encodePrompt(prompt: string, options: Pick<GenerateOptions, 'signal'> = {}): Promise<Float32Array> {
    const { signal } = stageOptions(options, ['signal'], ofStage('encodePrompt()'))
    checkPrompt('encodePrompt()', prompt)
    return this.#during(signal, async (ended) =>
      (await encodeTexts(this.#model, [prompt], ended)).of(prompt).slice(),
    )
  }

  /**
   * A picture to latents in the UNet's scale, (1, c, height/f, width/f).
   *
   * @param options size to bring the picture to (default: as `generate` does without a size), and a seed to sample the
   * posterior with (default: its mean)
   */
  async encodeImage(
    image: ImageInput,
    options: Pick<GenerateOptions, 'width' | 'height' | 'seed' | 'rng' | 'signal'> = {},
  ): Promise<Latents> {
    const { defaults } = this.#model
    const init = copyImage(image)
    const names = ['width', 'height', 'seed', 'rng', 'signal'] as const
    const known = stageOptions(options, names, ofStage('encodeImage()'))
    const sampled = known.seed !== undefined
    const resolved = resolveOptions({ ...known, prompt: '', init }, defaults)
    const { seed, rng, signal } = resolved
    const { factor, latentChannels: c } = this.#model.configs.vae
    return this.#during(signal, async (ended) => {
      const { width, height } = await pictureSize(resolved, defaults)
      const shape = { n: 1, c, h: height / factor, w: width / factor }
      requireRoom(this.#model, shape, true)
      const size = c * shape.h * shape.w
      const noise = sampled ? createGenerator({ seed, rng }).randn(size) : new Float32Array(size)
      const latents = await encodePicture(this.#model, init, shape, toChannelsLast(noise, shape), ended)
      return { data: toChannelsFirst(latents, shape), shape: [1, c, shape.h, shape.w] }
    })
  }

  /** Latents in the UNet's scale, (n, c, h, w), to n pictures. */
  async decodeLatents(latents: Latents, options: Pick<GenerateOptions, 'signal'> = {}): Promise<Pixels[]> {
    const { factor, latentChannels } = this.#model.configs.vae
    checkLatents(latents, latentChannels)
    const { signal } = stageOptions(options, ['signal'], ofStage('decodeLatents()'))
    const {
      data,
      shape: [n, c, h, w],
    } = latents
    return this.#during(signal, async (ended) => {
      const pictures = await decodePictures(
        this.#model,
        toChannelsLast(data, { n, c, h, w }),
        { h, w },
        ended,
      )
      return pictures.map((pixels) => ({ data: pixels, width: w * factor, height: h * factor }))
    })
  }

  /** Ends what is running (it rejects with `DISPOSED`) and frees the weights. Twice is once. */
  dispose(): Promise<void> {
    this.#disposal ??= this.#dispose()
    return this.#disposal
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  async #dispose(): Promise<void> {
    this.#end.abort()
    await Promise.all(this.#running)
    for (const part of [this.#model.textEncoder, this.#model.unet, this.#model.vae]) part.dispose()
  }

  /** Registers a piece of work that `dispose` waits for; call what it returns at its end. */
  #begin(): () => void {
    if (this.#disposal) throw disposed()
    const { promise, resolve } = withResolvers()
    this.#running.add(promise)
    return () => {
      this.#running.delete(promise)
      resolve()
    }
  }

  /** Aborted by the caller or by `dispose`. */
  #withEnd(signal: AbortSignal | undefined): AbortSignal {
    const ended = signal ? AbortSignal.any([signal, this.#end.signal]) : this.#end.signal
    // Every program that runs listens: any number of generations, on any number of devices, are no leak.
    setMaxListeners(0, ended)
    return ended
  }

  async #during<T>(signal: AbortSignal | undefined, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const end = this.#begin()
    try {
      return await body(this.#withEnd(signal))
    } catch (error) {
      throw this.#end.signal.aborted ? disposed() : error
    } finally {
      end()
    }
  }
}

const disposed = () =>
  new TintypeError('DISPOSED', 'The pipeline was disposed of.', { advice: 'Load it again with load().' })

const ofStage = (caller: string) => ({ caller, example: '{ signal: AbortSignal.timeout(1000) }' })

function checkPrompt(caller: string, prompt: unknown): asserts prompt is string {
  if (typeof prompt !== 'string') throw invalid(`${caller} takes a string, got ${showArgument(prompt)}.`)
}

function checkLatents(given: unknown, channels: number): asserts given is Latents {
  const { data, shape } = (given ?? {}) as Partial<Latents>
  const known = data instanceof Float32Array && Array.isArray(shape)
  if (known) {
    const [n, c, h, w] = shape
    const sane = shape.length === 4 && shape.every((size) => Number.isSafeInteger(size) && size > 0)
    if (sane && c === channels && data.length === n * c * h * w) return
  }
  const got = known ? `${data.length} values of shape (${shape})` : showArgument(given)
  throw invalid(
    `decodeLatents() takes { data, shape }, a Float32Array of shape (n, ${channels}, h, w), got ${got}.`,
  )
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/**
 * Loads a model in diffusers' folder layout (model_index.json, text_encoder/, unet/, vae/, ...). Weights are read
 * when they are first needed.
 *
 * @throws TintypeError `INVALID_ARGUMENT`, `UNKNOWN_OPTION`, `MODEL_NOT_FOUND`, `INVALID_CONFIG`, `UNSUPPORTED_MODEL`, `INVALID_WEIGHTS`,
 *   `DEVICE_UNAVAILABLE`
 */
export async function load(folder: string, options: LoadOptions = {}): Promise<Pipeline> {
  if (typeof folder !== 'string' || folder === '') {
    throw invalid(`load() takes the path of a model folder, got ${showArgument(folder)}.`)
  }
  const { device, precision, ...rest } = resolveLoadOptions(options)
  const chosen = await chooseDevices({ device, precision })
  const { targets } = chosen
  return new Pipeline(await openModel(folder, { ...rest, targets }), chosen)
}
