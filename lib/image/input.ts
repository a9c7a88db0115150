// Pictures from outside: a path, the bytes of a file, or pixels, brought to RGB at the size that a model wants.

import type { Sharp } from 'sharp'
import { TintypeError } from '../errors.ts'
import { readRegularFile } from '../regular-file.ts'
import { pathOfUrl } from './file-url.ts'
import { Picture } from './picture.ts'

/** Pixels in rows from the top, channels side by side. */
export interface RawImage {
  readonly data: Uint8Array | Uint8ClampedArray
  readonly width: number
  readonly height: number
  /** 1 grey, 3 RGB (the default), 4 RGBA. */
  readonly channels?: 1 | 3 | 4 | undefined
}

/** A path or file URL, the bytes of a PNG, JPEG, WebP, GIF, AVIF or TIFF file, pixels, or a result of `generate()`. */
export type ImageInput = string | URL | Uint8Array | RawImage | Picture

/** RGB bytes, (height, width, 3). */
export interface RgbImage {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

/** 16384 squared: more is no photograph but an attack on memory. */
const mostPixels = 2 ** 28
/** That many pixels in RGB, as a file holds them that does not compress. */
const mostBytes = 3 * mostPixels

const invalid = (message: string, advice: string, cause?: unknown) =>
  new TintypeError('INVALID_IMAGE', message, { advice, ...(cause !== undefined && { cause }) })

function checkRaw({ data, width, height, channels = 3 }: RawImage): void {
  const sane = [width, height].every((side) => Number.isSafeInteger(side) && side > 0)
  if (!sane || ![1, 3, 4].includes(channels) || width * height > mostPixels) {
    throw invalid(
      `Pixels of ${width}x${height} with ${channels} channels cannot be used.`,
      'Give width, height and 1, 3 or 4 channels.',
    )
  }
  if (data.length !== width * height * channels) {
    throw invalid(
      `${width}x${height} pixels with ${channels} channels are ${width * height * channels} bytes, got ${data.length}.`,
      'Check width, height and channels.',
    )
  }
}

const isRaw = (input: unknown): input is RawImage =>
  typeof input === 'object' &&
  input !== null &&
  'data' in input &&
  (input.data instanceof Uint8Array || input.data instanceof Uint8ClampedArray)

/** A path or what sharp opens, and how a message calls it. */
interface Source {
  readonly source: string | Buffer
  readonly raw?: RawImage & { readonly channels: 1 | 3 | 4 }
  readonly name: string
}

function sourceOf(input: ImageInput): Source {
  if (typeof input === 'string') return { source: input, name: input }
  if (input instanceof URL) {
    const path = pathOfUrl(input)
    if (path !== undefined) return { source: path, name: path }
    throw invalid(`${input.href} is not on this machine.`, 'Download it, or give its bytes.')
  }
  if (input instanceof Uint8Array) {
    return { source: Buffer.from(input.buffer, input.byteOffset, input.byteLength), name: 'the init image' }
  }
  if (input instanceof Picture || isRaw(input)) {
    const { data, width, height } = input
    const channels = (input instanceof Picture ? undefined : input.channels) ?? 3
    const raw = { data, width, height, channels }
    checkRaw(raw)
    return { source: Buffer.from(data.buffer, data.byteOffset, data.byteLength), raw, name: 'the init image' }
  }
  throw invalid(
    'The init image is of a type that cannot be read.',
    'Give a path, the bytes of a file, or pixels.',
  )
}

/** Not left to sharp, whose threads a pipe would keep waiting. */
async function readPictureFile(path: string): Promise<Buffer> {
  try {
    return await readRegularFile(path, {
      mostBytes,
      tooLarge: (size) =>
        invalid(`${path} has ${size} bytes, more than ${mostBytes}.`, 'Scale it down first.'),
      notAFile: () => invalid(`${path} is no regular file.`, 'Give the path of a file, or its bytes.'),
    })
  } catch (error) {
    if (error instanceof TintypeError) throw error
    throw invalid(`${path} does not exist or cannot be opened.`, 'Check the path.', error)
  }
}

async function open({ source, raw }: Source): Promise<Sharp> {
  const bytes = typeof source === 'string' ? await readPictureFile(source) : source
  // Loading it takes longer than many a picture: only who reads or writes files pays for it.
  const { default: sharp } = await import('sharp')
  const options = { limitInputPixels: mostPixels, failOn: 'error' as const }
  if (!raw) return sharp(bytes, options)
  const { width, height, channels } = raw
  return sharp(bytes, { ...options, raw: { width, height, channels } })
}

function explain(error: unknown, name: string): TintypeError {
  if (error instanceof TintypeError) return error
  const reason = error instanceof Error ? error.message : String(error)
  if (/pixel limit/i.test(reason)) {
    return invalid(`${name} has more than ${mostPixels} pixels.`, 'Scale it down first.', error)
  }
  if (/unsupported|bad seek|empty|corrupt|premature/i.test(reason)) {
    return invalid(
      `${name} is no picture that can be read (${reason}).`,
      'PNG, JPEG, WebP, GIF, AVIF and TIFF can be.',
      error,
    )
  }
  return invalid(`${name} cannot be read (${reason}).`, 'Is the file complete?', error)
}

/**
 * Decodes a picture to RGB: turned as its EXIF data says, transparency on white, and, with a size, scaled to exactly
 * that size with a Lanczos filter, as diffusers does.
 *
 * @throws TintypeError `INVALID_IMAGE`
 */
export async function readImage(input: ImageInput, size?: Size): Promise<RgbImage> {
  const opened = sourceOf(input)
  const { source, raw, name } = opened
  const sameSize = raw && size && raw.width === size.width && raw.height === size.height
  if (raw?.channels === 3 && (sameSize || !size)) {
    return { data: new Uint8Array(source as Buffer), width: raw.width, height: raw.height }
  }
  // sharp would shrink a JPEG while it decodes it, which is another filter.
  if (!raw && size) return readImage(await readImage(input), size)
  try {
    let image = await open(opened)
    if (!raw) image = image.autoOrient()
    image = image.flatten({ background: 'white' }).toColourspace('srgb')
    if (size) image = image.resize(size.width, size.height, { fit: 'fill', kernel: 'lanczos3' })
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true })
    if (info.channels > 3) {
      throw invalid(`${name} has ${info.channels} channels of colour.`, 'Give a picture in grey or RGB.')
    }
    return { data: info.channels === 3 ? data : greyToRgb(data), width: info.width, height: info.height }
  } catch (error) {
    throw explain(error, name)
  }
}

/**
 * How large `readImage` would make a picture without a size; only the header is decoded.
 *
 * @throws TintypeError `INVALID_IMAGE`
 */
export async function sizeOfImage(input: ImageInput): Promise<Size> {
  const opened = sourceOf(input)
  if (opened.raw) return { width: opened.raw.width, height: opened.raw.height }
  try {
    const { autoOrient } = await (await open(opened)).metadata()
    return { width: autoOrient.width, height: autoOrient.height }
  } catch (error) {
    throw explain(error, opened.name)
  }
}

function greyToRgb(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3)
  for (let i = 0; i < grey.length; i++) rgb.fill(grey[i]!, 3 * i, 3 * i + 3)
  return rgb
}
