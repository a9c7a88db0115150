// What goes into a generation and what comes out of it: the public types, no code.

import type { ImageInput } from '../image/input.ts'
import type { Picture } from '../image/picture.ts'

export interface GenerateOptions {
  /** What to paint. Several prompts give several pictures; an empty prompt is valid. */
  readonly prompt: string | readonly string[]
  /** What to avoid; needs guidanceScale above 1. One for all prompts, or one for each. */
  readonly negativePrompt?: string | readonly string[] | undefined
  /**
   * Pixels, a multiple of the model's size factor (8 for Stable Diffusion). Default: what the model was trained on, or
   * with `init` that picture's own size, cut to multiples. A picture of more than four times the pixels that the model
   * was trained on is scaled down to those, and a warning tells. With one side given, the other keeps its proportions.
   */
  readonly width?: number | undefined
  readonly height?: number | undefined
  /** Denoising steps, 1 to 1000. Default: what the model's folder says, or 20. */
  readonly steps?: number | undefined
  /** Classifier-free guidance; 1 switches it off and halves the work. Default 7.5, or what the model's folder says. */
  readonly guidanceScale?: number | undefined
  /**
   * The part of the run in which guidance works, as two shares of its steps: `[0.2, 0.8]` leaves it out, and half of the
   * work of each step, in the first and last fifth (Kynkäänniemi et al., arXiv:2404.07724). Default `[0, 1]`: all of it.
   */
  readonly guidanceInterval?: readonly [number, number] | undefined
  /**
   * Predict without and with the prompt one after the other instead of at once: a step takes about the memory of one
   * prediction, and more time. The same picture but for rounding. Default false.
   */
  readonly sequentialGuidance?: boolean | undefined
  /**
   * One step in so many computes the whole UNet; those between use its deep features again and cost little (DeepCache, Ma
   * et al., arXiv:2312.00858). The picture changes: docs/performance.md says how much. Default 1: all compute all.
   */
  readonly cacheInterval?: number | undefined
  /**
   * The share of the tokens, 0 to 0.75, that are merged into similar ones while the largest maps of the UNet attend to
   * themselves (Bolya and Hoffman, "Token Merging for Fast Stable Diffusion", 2023): less time where pictures are large.
   * The picture changes: docs/performance.md says how much. Default 0: none.
   */
  readonly tokenMerging?: number | undefined
  /** Where the noise starts: an integer from 0 to 2^64 - 1. Default: a random one, told in the result. */
  readonly seed?: number | bigint | undefined
  /** Whose noise a seed gives: a CPU generator of PyTorch (diffusers, ComfyUI) or a CUDA one (A1111). */
  readonly rng?: 'torch-cpu' | 'torch-cuda' | undefined
  /** Sampler by name; default: what scheduler_config.json says. */
  readonly scheduler?: string | undefined
  /** Karras et al.'s spacing of the noise levels, where the sampler has it. */
  readonly karrasSigmas?: boolean | undefined
  /** Pictures per prompt. Default 1. */
  readonly count?: number | undefined
  /**
   * A picture to start from instead of noise: path, bytes of a file, or pixels. It is scaled to `width` and `height`,
   * whatever its proportions are.
   */
  readonly init?: ImageInput | undefined
  /** How far to go from `init`: above 0 (keep it) to 1 (forget it). Default 0.8. */
  readonly strength?: number | undefined
  /** Scales the noise that stochastic samplers add. Default 1. */
  readonly temperature?: number | undefined
  /** DDIM's eta: 0 deterministic, 1 as much noise as DDPM. */
  readonly eta?: number | undefined
  /**
   * Dynamic thresholding of the predicted clean latents (Saharia et al., arXiv:2205.11487, section 2.3), for models that
   * paint pixels. Those of a picture are clamped to a bound and divided by it: its percentile (above 0 to 1) of their
   * magnitudes, at least 1 and at most `max` (default: any). `{ percentile, max }` are diffusers'
   * `dynamic_thresholding_ratio` and `sample_max_value`; its default of 1 for the latter clamps to 1 whatever the percentile.
   *
   * Everything ends in [-1, 1], while the latents of Stable Diffusion reach 5: colours and contrast suffer, and diffusers
   * calls it unsuitable for such models. A lower `guidanceScale` or a `guidanceInterval` tames them better.
   */
  readonly threshold?: number | { readonly percentile: number; readonly max?: number | undefined } | undefined
  /** Unit noise to start from instead of the seed's: (pictures, C, height/f, width/f), as diffusers lays it out. */
  readonly latents?: Float32Array | undefined
  /** `latents` leaves out the decoder. Default `pictures`. */
  readonly output?: 'pictures' | 'latents' | undefined
  /** A preview picture in every n-th step event; 0, the default, for none. */
  readonly previewEvery?: number | undefined
  /** Cancels between ops: the promise rejects with code `ABORTED`. */
  readonly signal?: AbortSignal | undefined
  /** Called with each event; `stream()` gives the same ones. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined
}

/** One denoising step is done. */
export interface StepEvent {
  readonly type: 'step'
  /** 1 to `steps`. */
  readonly step: number
  readonly steps: number
  /** Noise level that the step started from, in units of the clean latents' scale. */
  readonly sigma: number
  /** Since the generation began. */
  readonly elapsedMs: number
  /** What the pictures would be if sampling stopped here, where asked for. */
  readonly preview?: readonly Picture[]
}

/** A stage begins. */
export interface StageEvent {
  readonly type: 'stage'
  readonly stage: 'text' | 'encode' | 'denoise' | 'decode'
  readonly elapsedMs: number
}

export type ProgressEvent = StageEvent | StepEvent

export interface ResultEvent {
  readonly type: 'result'
  readonly result: GenerateResult
}

export type GenerateEvent = ProgressEvent | ResultEvent

/** Milliseconds by stage; a stage that was not needed is 0. */
export interface Timings {
  readonly text: number
  readonly encode: number
  readonly denoise: number
  readonly decode: number
  readonly total: number
}

/** `JSON.stringify` leaves out pixels and latents, and writes seeds as strings. */
export interface GenerateResult {
  /** One for each prompt and count, the pictures of a prompt side by side; empty with `output: "latents"`. */
  readonly images: readonly Picture[]
  /** (pictures, C, height/f, width/f) in the model's scale, as diffusers' `output_type="latent"`. */
  readonly latents: Float32Array
  readonly latentsShape: readonly [number, number, number, number]
  readonly seed: bigint
  readonly timings: Timings
  /** What the caller should know: prompts that were cut, samplers that were replaced. */
  readonly warnings: readonly string[]
}
