// An emoji on a plain colour, scaled as training scales it (compose() of tools/train-default-model/common.py).

import type { RgbImage } from '../../../lib/image/input.ts'

/** What each of `to` samples takes of `from`: where it begins, and weights that sum to 1. */
interface Taps {
  readonly first: number
  readonly weights: readonly number[]
}

/** Bilinear with antialiasing, as PyTorch and Pillow have it: a triangle as wide as the samples it averages. */
function triangleTaps(from: number, to: number): Taps[] {
  const step = from / to
  const reach = Math.max(step, 1)
  return Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * step
    const first = Math.max(Math.floor(center - reach + 0.5), 0)
    const end = Math.min(Math.floor(center + reach + 0.5), from)
    const weights = Array.from({ length: end - first }, (_, j) =>
      Math.max(0, 1 - Math.abs(first + j - center + 0.5) / reach),
    )
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    return { first, weights: weights.map((weight) => weight / total) }
  })
}

/** (size, size, channels) to (side, side, channels). */
export function resize(
  pixels: ArrayLike<number>,
  { size, side, channels }: { readonly size: number; readonly side: number; readonly channels: number },
): Float64Array {
  const taps = triangleTaps(size, side)
  const narrow = new Float64Array(size * side * channels)
  const out = new Float64Array(side * side * channels)
  for (let y = 0; y < size; y++) {
    taps.forEach(({ first, weights }, x) => {
      for (let c = 0; c < channels; c++) {
        let sum = 0
        weights.forEach((weight, j) => {
          sum += weight * pixels[(y * size + first + j) * channels + c]!
        })
        narrow[(y * side + x) * channels + c] = sum
      }
    })
  }
  const row = side * channels
  taps.forEach(({ first, weights }, y) => {
    for (let i = 0; i < row; i++) {
      let sum = 0
      weights.forEach((weight, j) => {
        sum += weight * narrow[(first + j) * row + i]!
      })
      out[y * row + i] = sum
    }
  })
  return out
}

/** The scale that stands for all of training's, 0.84 to 0.96. */
const usualScale = 0.92

/**
 * A premultiplied RGBA picture (size, size, 4), scaled, in the middle of a plain colour.
 *
 * @param color red, green and blue, 0 to 255
 */
export function compose(
  rgba: Uint8Array,
  size: number,
  color: readonly number[],
  scale: number = usualScale,
): RgbImage {
  const side = Math.round(size * scale)
  const inner = resize(rgba, { size, side, channels: 4 })
  const begin = Math.round((size - side) / 2)
  const data = new Uint8Array(size * size * 3)
  for (let i = 0; i < data.length; i++) data[i] = color[i % 3]!
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = (y * side + x) * 4
      const to = ((y + begin) * size + x + begin) * 3
      const clear = 1 - inner[from + 3]! / 255
      for (let c = 0; c < 3; c++) data[to + c] = Math.round(color[c]! * clear + inner[from + c]!)
    }
  }
  return { data, width: size, height: size }
}
