// What users hold: a loaded model, its generations, and its end.

import { setMaxListeners } from 'node:events'
import { inspect } from 'node:util'
import { TintypeError } from '../errors.ts'
import type { ImageInput } from '../image/input.ts'
import { createGenerator } from '../schedulers/noise.ts'
import { type ChosenDevices, chooseDevices, type DeviceOptions } from './choose-device.ts'
import type { VaeTiling } from './choose-tiling.ts'
import { copyImage, copyOptions } from './copy-options.ts'
import { runGeneration } from './generation.ts'
import { decodePictures, encodePicture } from './image-stages.ts'
import { toChannelsFirst, toChannelsLast } from './layout.ts'
import { type Model, openModel } from './model.ts'
import { resolveOptions } from './options.ts'
import { encodeTexts } from './text-stage.ts'
import type { GenerateEvent, GenerateOptions, GenerateResult } from './types.ts'

export interface LoadOptions {
  /** Take `<name>.<variant>.safetensors`; by default the plain files, or the only variant that is there. */
  readonly variant?: string | undefined
  /** Threads to compute with. Default: one for each core that the process may use. */
  readonly threads?: number | undefined
  /**
   * Leave out the algorithms that trade rounding for speed (Winograd's for convolutions, Strassen's for linear layers:
   * latents differ by about 1e-6 relative for each step). What `precision` rounds it leaves rounded. Default: false.
   */
  readonly exact?: boolean | undefined
  /**
   * Where to compute: `cpu` (the default), `cuda` for the first NVIDIA GPU, `cuda:1` for the second. A list such as
   * `['cuda:0', 'cuda:1']` spreads the pictures of a generation over several GPUs. `auto` takes the first GPU where that
   * passes a short self-test, and the CPU otherwise, as with `precision: 'int8'`; `info.devices` and `info.deviceNote` say
   * which and why. Of GPUs the CUDA backend has run on H100s alone; on
   * others its kernels are proven by an interpreter (docs/cuda.md).
   */
  readonly device?: DeviceOptions['device']
  /**
   * What a GPU computes in. `f16`, the default, and `bf16` sum in float32. `fast` is `f16` that sums 32 products at a time
   * in fp16: GeForce cards do that at twice the rate, others at the same; its error was up to 2.4 times that of `f16` and
   * less than half that of `bf16` (docs/cuda.md).
   *
   * The CPU computes in float32 over weights as they are stored, unless it is asked for one of two things, with either of
   * which pictures change a little (docs/performance.md). `int8`: matrix weights are rounded to int8 when they are read, each
   * output channel with a scale of its own, and take half the memory of fp16. `bf16`, on a CPU with AVX512-BF16 (`devices()`
   * tells; `DEVICE_UNAVAILABLE` elsewhere, float32 with `device: 'auto'`): linear layers, convolutions of single pixels and
   * attention multiply in bf16, sums and all between stay float32. On AMD's Zen 4 a step takes two thirds of the time; on
   * others it was not measured.
   */
  readonly precision?: DeviceOptions['precision']
  /**
   * Whether the autoencoder works on pictures strip by strip, which takes less memory: about 1.3 GiB, and hardly more time, as
   * long as the largest maps fit into that (on the CPU, up to 1024x1024), and several times as long beyond. All strips are
   * normalised by the whole picture: there are no seams, and pixels differ from those in one piece by rounding alone.
   * `auto`, the default: where one piece would take more than 1.3 GiB, so at 1024x1024 but not at 896x896. `true`:
   * wherever there are rows enough. Never with `exact`.
   */
  readonly vaeTiling?: 'auto' | boolean | undefined
}

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
    if (typeof prompt !== 'string') {
      throw new TintypeError('INVALID_ARGUMENT', `tokenize() takes a string, got ${typeof prompt}.`)
    }
    return this.#model.tokenizer.tokenize(prompt).ids
  }

  /** The text encoder's last hidden state, (77, width). */
  async encodePrompt(
    prompt: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Float32Array> {
    this.tokenize(prompt)
    return this.#during(signal, async (ended) =>
      (await encodeTexts(this.#model, [prompt], ended)).of(prompt).slice(),
    )
  }

  /**
   * A picture to latents in the UNet's scale, (1, c, height/f, width/f).
   *
   * @param options size to bring the picture to (default: the model's), and a seed to sample the posterior with
   * (default: its mean)
   */
  async encodeImage(
    image: ImageInput,
    options: Pick<GenerateOptions, 'width' | 'height' | 'seed' | 'rng' | 'signal'> = {},
  ): Promise<Latents> {
    const init = copyImage(image)
    const { width, height, seed, rng, signal } = resolveOptions(
      { ...options, prompt: '', init },
      this.#model.defaults,
    )
    const { factor, latentChannels: c } = this.#model.configs.vae
    const shape = { n: 1, c, h: height / factor, w: width / factor }
    const size = c * shape.h * shape.w
    const noise =
      options.seed === undefined ? new Float32Array(size) : createGenerator({ seed, rng }).randn(size)
    return this.#during(signal, async (ended) => {
      const latents = await encodePicture(this.#model, init, shape, toChannelsLast(noise, shape), ended)
      return { data: toChannelsFirst(latents, shape), shape: [1, c, shape.h, shape.w] }
    })
  }

  /** Latents in the UNet's scale, (n, c, h, w), to n pictures. */
  async decodeLatents(
    { data, shape: [n, c, h, w] }: Latents,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Pixels[]> {
    const { factor, latentChannels } = this.#model.configs.vae
    const sizes = [n, c, h, w]
    const sane = sizes.every((size) => Number.isSafeInteger(size) && size > 0)
    if (!(data instanceof Float32Array) || !sane || c !== latentChannels || data.length !== n * c * h * w) {
      throw new TintypeError(
        'INVALID_ARGUMENT',
        `decodeLatents() takes a Float32Array of shape (n, ${latentChannels}, h, w), got ${data?.length} values of shape (${sizes}).`,
      )
    }
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

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

function resolveTiling({ vaeTiling, exact }: LoadOptions): VaeTiling {
  if (vaeTiling !== undefined && vaeTiling !== 'auto' && typeof vaeTiling !== 'boolean') {
    throw new TintypeError(
      'INVALID_ARGUMENT',
      `Option vaeTiling must be "auto", true or false, got ${inspect(vaeTiling)}.`,
    )
  }
  if (exact && vaeTiling === true) {
    throw new TintypeError('INVALID_ARGUMENT', 'Options exact and vaeTiling exclude each other.', {
      advice: 'Strips round differently from one piece. Leave one of them out.',
    })
  }
  return exact ? false : (vaeTiling ?? 'auto')
}

/**
 * Loads a model in diffusers' folder layout (model_index.json, text_encoder/, unet/, vae/, ...). Weights are read
 * when they are first needed.
 *
 * @throws TintypeError `INVALID_ARGUMENT`, `MODEL_NOT_FOUND`, `INVALID_CONFIG`, `UNSUPPORTED_MODEL`, `INVALID_WEIGHTS`,
 *   `DEVICE_UNAVAILABLE`
 */
export async function load(folder: string, options: LoadOptions = {}): Promise<Pipeline> {
  if (typeof folder !== 'string' || folder === '') {
    throw new TintypeError('INVALID_ARGUMENT', 'load() takes the path of a model folder.')
  }
  const { device, precision, ...rest } = options
  const vaeTiling = resolveTiling(options)
  const chosen = await chooseDevices({ device, precision })
  const { targets } = chosen
  return new Pipeline(await openModel(folder, { ...rest, targets, vaeTiling }), chosen)
}
