// How large a generation paints: as it was asked to, or as large as the picture that it starts from, or as the model.

import { TintypeError } from '../errors.ts'
import { type Size, sizeOfImage } from '../image/input.ts'
import { largestSide, type ModelDefaults, type ResolvedOptions } from './options.ts'

/** Twice as wide and twice as high as the model was trained for: diffusers takes what is larger too, and takes minutes. */
const mostTimesTrained = 4

export interface PictureSize extends Size {
  readonly warnings: readonly string[]
}

/** The largest multiple of the model's factor within a length: how diffusers brings a picture to a size that fits. */
const fitted = (pixels: number, factor: number) => Math.max(1, Math.floor(pixels / factor)) * factor

function checked(size: Size, own: Size): Size {
  if (Math.max(size.width, size.height) <= largestSide) return size
  throw new TintypeError(
    'INVALID_ARGUMENT',
    `The init image of ${own.width}x${own.height} would make a picture of ${size.width}x${size.height}.`,
    { advice: `Give a width and a height of at most ${largestSide}.` },
  )
}

/** With the proportions of the picture: the side that was not given, or both. */
function sizeLike(
  own: Size,
  { width, height }: Pick<ResolvedOptions, 'width' | 'height'>,
  defaults: ModelDefaults,
): PictureSize {
  const { factor } = defaults
  if (width !== undefined) {
    return { width, height: fitted((width * own.height) / own.width, factor), warnings: [] }
  }
  if (height !== undefined) {
    return { width: fitted((height * own.width) / own.height, factor), height, warnings: [] }
  }
  const times = (own.width * own.height) / (defaults.width * defaults.height)
  const scale = times > mostTimesTrained ? 1 / Math.sqrt(times) : 1
  const size = { width: fitted(own.width * scale, factor), height: fitted(own.height * scale, factor) }
  if (scale === 1) return { ...size, warnings: [] }
  const much = `The init image of ${own.width}x${own.height} has ${Math.floor(times)} times the pixels that the model was trained for`
  return {
    ...size,
    warnings: [
      `${much}: it is painted at ${size.width}x${size.height}. Give width or height for another size.`,
    ],
  }
}

/**
 * The size to paint in, with what the caller should know about it. The header of `init` is read where a side is missing.
 *
 * @throws TintypeError `INVALID_IMAGE`, `INVALID_ARGUMENT`
 */
export async function pictureSize(
  { init, width, height }: Pick<ResolvedOptions, 'init' | 'width' | 'height'>,
  defaults: ModelDefaults,
): Promise<PictureSize> {
  if (init === undefined || (width !== undefined && height !== undefined)) {
    return { width: width ?? defaults.width, height: height ?? defaults.height, warnings: [] }
  }
  const own = await sizeOfImage(init)
  const { warnings, ...size } = sizeLike(own, { width, height }, defaults)
  return { ...checked(size, own), warnings }
}
