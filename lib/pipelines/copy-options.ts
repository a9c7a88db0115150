// Options as they were at the call: a caller may change his own for the next call while this one waits its turn.

import type { ImageInput } from '../image/input.ts'
import type { GenerateOptions } from './types.ts'

/** Of an array without elements there is nothing to copy, and of one whose memory was transferred nothing can be. */
function copyArray(array: unknown): unknown {
  if (Array.isArray(array)) return [...array]
  if (array instanceof Float32Array && array.length > 0) return new Float32Array(array)
  // Not slice(), by which a Buffer shares its memory.
  if (array instanceof Uint8Array && array.length > 0) return new Uint8Array(array)
  if (array instanceof Uint8ClampedArray && array.length > 0) return new Uint8ClampedArray(array)
  return array
}

/** A path stays what it is; bytes and pixels are copied. */
export function copyImage(image: ImageInput): ImageInput {
  if (image instanceof URL) return new URL(image)
  if (typeof image !== 'object' || image === null || !('data' in image)) return copyArray(image) as ImageInput
  const { data, width, height } = image
  const channels = 'channels' in image ? image.channels : undefined
  return { data: copyArray(data) as Uint8Array, width, height, ...(channels !== undefined && { channels }) }
}

/** Whatever it is: what is wrong with it is found later. */
export function copyOptions(options: GenerateOptions): GenerateOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return options
  const copies = Object.entries(options).map(([name, value]) => [name, copyArray(value)])
  const { init, threshold } = options
  return {
    ...Object.fromEntries(copies),
    ...(init !== undefined && { init: copyImage(init) }),
    ...(typeof threshold === 'object' && threshold !== null && { threshold: { ...threshold } }),
  }
}
