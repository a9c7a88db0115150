// A finished picture: its pixels, how it was made, and the way into a file.

import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import * as z from 'zod'
import { checkOptions } from '../check-options.ts'
import { TintypeError } from '../errors.ts'
import { suggestion } from '../nearest.ts'
import { show } from '../show.ts'
import { pathOfUrl } from './file-url.ts'
import { formatParameters, type GenerationParameters } from './parameters.ts'
import { insertPngText } from './png-text.ts'

export type ImageFormat = 'png' | 'jpeg' | 'webp'

export interface EncodeOptions {
  /** 1 to 100, for JPEG and WebP. Default 90. */
  readonly quality?: number | undefined
}

const formats: ReadonlyMap<string, ImageFormat> = new Map([
  ['.png', 'png'],
  ['.jpg', 'jpeg'],
  ['.jpeg', 'jpeg'],
  ['.webp', 'webp'],
])

/** The format that a file name asks for. */
export function formatOf(path: string): ImageFormat {
  const extension = extname(path).toLowerCase()
  const format = formats.get(extension)
  if (format) return format
  throw new TintypeError('INVALID_ARGUMENT', `${path}: no picture format has the extension "${extension}".`, {
    advice: suggestion(extension || '.', formats.keys()),
  })
}

const schema = {
  quality: z.number().int().min(1).max(100).describe('an integer from 1 to 100'),
} satisfies Record<keyof EncodeOptions, z.ZodType>

function checkEncoding(format: ImageFormat, options: EncodeOptions): void {
  if (![...formats.values()].includes(format)) {
    throw new TintypeError('UNKNOWN_OPTION', `There is no picture format ${show(format)}.`, {
      advice: suggestion(typeof format === 'string' ? format : '', new Set(formats.values())),
    })
  }
  checkOptions(options, schema, { caller: 'toFile() or toBuffer()', example: '{ quality: 80 }' })
}

function pathOf(target: string | URL): string {
  const path = target instanceof URL ? pathOfUrl(target) : target
  // No system has names with NUL in them.
  if (typeof path === 'string' && !path.includes('\0')) return path
  const got = target instanceof URL ? target.href : show(target)
  throw new TintypeError('INVALID_ARGUMENT', `toFile() takes a path or a file URL, got ${got}.`)
}

/** What to do about an error of the system. */
const adviceOn: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'Does its folder exist?'],
  ['ENOTDIR', 'What it names as a folder is a file.'],
  ['EISDIR', 'There is a folder of that name: name a file in it.'],
  ['ENAMETOOLONG', 'Take a shorter name.'],
])

interface PictureFields {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
  readonly seed: bigint
  readonly parameters: GenerationParameters
}

/**
 * @example
 * const { images } = await generate({ prompt: 'red apple' })
 * await images[0].toFile('apple.webp', { quality: 80 })
 */
export class Picture {
  readonly width: number
  readonly height: number
  /** RGB, (height, width, 3): the memory that the decoder wrote, not a copy. */
  readonly data: Uint8Array
  readonly seed: bigint
  readonly parameters: GenerationParameters

  /** @internal */
  static of(fields: PictureFields): Picture {
    return new Picture(fields)
  }

  // Private, not internal: a class whose declaration has no constructor takes `new Picture()`.
  private constructor({ width, height, data, seed, parameters }: PictureFields) {
    this.width = width
    this.height = height
    this.data = data
    this.seed = seed
    this.parameters = parameters
  }

  /**
   * The bytes of a picture file. PNG carries the parameters as A1111's `parameters` text.
   *
   * @throws TintypeError `UNKNOWN_OPTION`, `INVALID_ARGUMENT`
   */
  async toBuffer(format: ImageFormat = 'png', options: EncodeOptions = {}): Promise<Buffer> {
    checkEncoding(format, options)
    const { quality = 90 } = options
    const { width, height } = this
    const { default: sharp } = await import('sharp')
    const image = sharp(this.data, { raw: { width, height, channels: 3 } })
    try {
      if (format === 'jpeg') return await image.jpeg({ quality }).toBuffer()
      if (format === 'webp') return await image.webp({ quality }).toBuffer()
      return insertPngText(await image.png().toBuffer(), 'parameters', formatParameters(this.parameters))
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new TintypeError(
        'INVALID_ARGUMENT',
        `A picture of ${width}x${height} cannot be written as ${format} (${reason}).`,
        { advice: 'WebP has at most 16383 pixels a side, JPEG 65500; PNG has no such limit.', cause },
      )
    }
  }

  /**
   * Writes a picture file, given its path or file URL; the extension (.png, .jpg, .jpeg, .webp) says which. A reader
   * never sees half a file.
   *
   * @throws TintypeError `UNKNOWN_OPTION`, `INVALID_ARGUMENT` for another extension or size, `IO` when it cannot be written
   */
  async toFile(target: string | URL, options: EncodeOptions = {}): Promise<void> {
    const path = pathOf(target)
    const bytes = await this.toBuffer(formatOf(path), options)
    // Not the name with an ending: that may be as long as names can be.
    const partial = join(dirname(path), `.${randomUUID()}.part`)
    try {
      await writeFile(partial, bytes)
      await rename(partial, path)
    } catch (cause) {
      // What is wrong with the folder is wrong for this too.
      await rm(partial, { force: true }).catch(() => undefined)
      const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
      throw new TintypeError('IO', `${path} cannot be written (${reason}).`, {
        advice: adviceOn.get(reason) ?? 'Check permissions and free space.',
        cause,
      })
    }
  }

  /** What JSON can hold of it: all but the pixels, seeds as strings. */
  toJSON(): object {
    const { width, height, parameters } = this
    const seed = String(this.seed)
    return { width, height, seed, parameters: { ...parameters, seed } }
  }
}
