// Phases two and four: pixels to latents and latents to pixels, one picture at a time to save memory.

import { type ImageInput, readImage } from '../image/input.ts'
import type { Model } from './model.ts'
import { decodeGraph, encodeGraph } from './stages.ts'

/** Latents of one picture, as (h, w). */
export interface LatentPlane {
  readonly h: number
  readonly w: number
}

const keyOf = ({ h, w }: LatentPlane) => `${h}x${w}`

/** Latents (n, h, w, c) in the UNet's scale to one RGB array (fh, fw, 3) for each picture. */
export async function decodePictures(
  { vae, configs }: Model,
  latents: Float32Array,
  plane: LatentPlane,
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  const { latentChannels, factor } = configs.vae
  const size = plane.h * plane.w * latentChannels
  const pictures: Uint8Array[] = []
  for (let first = 0; first < latents.length; first += size) {
    const pixels = new Uint8Array(plane.h * plane.w * factor * factor * 3)
    await vae.run({
      key: `decode ${keyOf(plane)}`,
      graph: () => decodeGraph(configs, { n: 1, h: plane.h, w: plane.w }),
      inputs: { latents: latents.subarray(first, first + size) },
      outputs: { pixels },
      signal,
    })
    pictures.push(pixels)
  }
  return pictures
}

/**
 * A picture to samples of its latents (n, h, w, c), in the UNet's scale.
 *
 * @param noise unit noise (n, h, w, c) for samples of the posterior; zeros give its mean
 */
export async function encodePicture(
  { vae, configs }: Model,
  image: ImageInput,
  plane: LatentPlane,
  noise: Float32Array,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { latentChannels, factor } = configs.vae
  const { data } = await readImage(image, { width: plane.w * factor, height: plane.h * factor })
  const latents = new Float32Array(noise.length)
  const n = noise.length / (plane.h * plane.w * latentChannels)
  await vae.run({
    key: `encode ${n} ${keyOf(plane)}`,
    graph: () => encodeGraph(configs, { n, h: plane.h, w: plane.w }),
    inputs: { pixels: data, noise },
    outputs: { latents },
    signal,
  })
  return latents
}
