// Whether there is room for the latents and pictures of a generation: asked before anything is computed.

import { TintypeError } from '../errors.ts'
import { mostNumbers } from '../schedulers/noise.ts'
import type { ImageShape } from './layout.ts'
import type { Model } from './model.ts'

/** What steps work on, the noise as it was drawn, and the noise in the order of the kernels. */
const copiesOfLatents = 3

/** Bytes of pictures in RGB for latents of a shape. */
export const pictureBytes = ({ n, h, w }: Omit<ImageShape, 'c'>, factor: number): number =>
  n * h * factor * w * factor * 3

/**
 * @param pictures whether the latents become pictures
 * @throws TintypeError `INVALID_ARGUMENT` where no array holds the latents, `OUT_OF_MEMORY` where memory does not
 */
export function requireRoom({ configs, vae }: Model, shape: ImageShape, pictures: boolean): void {
  const { factor } = configs.vae
  const numbers = shape.n * shape.c * shape.h * shape.w
  const what = `${shape.n} times ${shape.w * factor}x${shape.h * factor} pixels`
  if (numbers > mostNumbers) {
    throw new TintypeError(
      'INVALID_ARGUMENT',
      `Options prompt, count, width and height ask for ${what}: latents of ${numbers} numbers, where an array holds 2^29.`,
      { advice: 'Ask for fewer or smaller pictures at once.' },
    )
  }
  const bytes = copiesOfLatents * 4 * numbers + (pictures ? pictureBytes(shape, factor) : 0)
  vae.requireMemory(bytes, `Holding ${what}`)
}
