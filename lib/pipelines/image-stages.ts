// Phases two and four: pixels to latents and latents to pixels, one picture at a time on each device to save memory.

import { type ImageInput, readImage } from '../image/input.ts'
import { inLanes } from './lanes.ts'
import type { Model } from './model.ts'
import { pictureBytes } from './require-room.ts'
import { decodeGraph, encodeGraph } from './stages.ts'
import { decodeInStrips, decodeTiling, encodeInStrips, encodeTiling, type LatentPlane } from './tiled-vae.ts'

const keyOf = ({ h, w }: LatentPlane) => `${h}x${w}`

/** Latents (n, h, w, c) in the UNet's scale to one RGB array (fh, fw, 3) for each picture. */
export async function decodePictures(
  model: Model,
  latents: Float32Array,
  { h, w }: LatentPlane,
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  const { vae, configs } = model
  const { latentChannels, factor } = configs.vae
  const plane = { h, w }
  const tiling = decodeTiling(model, plane)
  const size = h * w * latentChannels
  const n = latents.length / size
  vae.requireMemory(pictureBytes({ n, h, w }, factor), 'Holding the pictures')
  const pictures = Array.from({ length: n }, () => new Uint8Array(pictureBytes({ n: 1, h, w }, factor)))
  const decode = async (i: number, lane: number) => {
    const own = latents.subarray(i * size, (i + 1) * size)
    const pixels = pictures[i]!
    if (tiling) return decodeInStrips(model, { latents: own, pixels }, { plane, tiling, signal })
    await vae.run({
      key: `decode ${keyOf(plane)}`,
      graph: () => decodeGraph(configs, { n: 1, ...plane }),
      inputs: { latents: own },
      outputs: { pixels },
      lane,
      signal,
    })
  }
  // Strips are joined by one device.
  const lanes = tiling ? 1 : vae.lanes
  await inLanes(lanes, async (lane) => {
    for (let i = lane; i < pictures.length; i += lanes) await decode(i, lane)
  })
  return pictures
}

/**
 * A picture to samples of its latents (n, h, w, c), in the UNet's scale.
 *
 * @param noise unit noise (n, h, w, c) for samples of the posterior; zeros give its mean
 */
export async function encodePicture(
  model: Model,
  image: ImageInput,
  { h, w }: LatentPlane,
  noise: Float32Array,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { vae, configs } = model
  const { latentChannels, factor } = configs.vae
  const plane = { h, w }
  const { data: pixels } = await readImage(image, { width: w * factor, height: h * factor })
  const latents = new Float32Array(noise.length)
  const tiling = encodeTiling(model, plane)
  if (tiling) {
    await encodeInStrips(model, { pixels, noise, latents }, { plane, tiling, signal })
    return latents
  }
  const n = noise.length / (h * w * latentChannels)
  await vae.run({
    key: `encode ${n} ${keyOf(plane)}`,
    graph: () => encodeGraph(configs, { n, ...plane }),
    inputs: { pixels, noise },
    outputs: { latents },
    signal,
  })
  return latents
}
