// What the runner and the processes that it measures say to each other: one JSON object a line, requests on stdin,
// replies on file descriptor 3, so that libraries may print what they like.
//
//   (start)                          -> { "version": "torch 2.13.0" } or { "missing": "No module named 'torch'" }
//   { "export": Job }                -> { "exported": true } once what it takes is in Job.cache; to some, in a process apart
//   { "prepare": Job }               -> { "loadMs": 812.5 }
//   { "run": true }                  -> { "ms": 45.1 }
//   { "save": true }                 -> { "saved": true } once the output of the last run is in Job.output
//
// Anything that fails is answered with { "error": "..." }. A process ends when its stdin does.

export const stages = ['text', 'unet', 'vae-decode', 'vae-encode', 'image'] as const
export type Stage = (typeof stages)[number]

/** What matrices are multiplied in, with float32 sums. */
export type Arithmetic = 'f32' | 'bf16'

/** An array in a file: little-endian, last dimension fastest, pictures as (N, C, H, W). */
export interface ArrayFile {
  readonly file: string
  readonly dtype: 'f32' | 'i32'
  readonly shape: readonly number[]
}

/** One thing to measure. All paths are absolute. */
export interface Job {
  readonly stage: Stage
  /** In diffusers' layout. */
  readonly model: string
  /** Side of the picture. */
  readonly size: number
  readonly batch: number
  readonly threads: number
  readonly arithmetic: Arithmetic
  /**
   * Of `text`: ids (n, 77). Of `unet`: latents, timestep (1), context (n, 77, width). Of `vae-decode`: latents, already
   * divided by the scaling factor. Of `vae-encode`: pixels in [-1, 1]. Of `image`: unit noise to start from.
   */
  readonly inputs: Readonly<Record<string, ArrayFile>>
  /** Where the output goes as float32: embeddings, prediction, pixels in [-1, 1], moments, or the picture in [0, 1]. */
  readonly output: string
  /** For what is expensive to make and the same every time: exported models. */
  readonly cache: string
  /** Python interpreter, for drivers in other languages that need one. */
  readonly python: string
  /** Of `image` alone. */
  readonly picture?: {
    readonly prompt: string
    readonly steps: number
    readonly guidanceScale: number
    readonly seed: number
    /** Noise levels of the steps, as Euler's sampler has them for this model, and a last 0. */
    readonly sigmas: readonly number[]
  }
}

export type Hello = { readonly version: string } | { readonly missing: string }
