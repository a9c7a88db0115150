// The fixed feature space in which a picture's nearest original is looked for.
//
// A picture is brought to 32x32 by the mean of each area. Five numbers describe each place: L, a and b of CIE Lab
// (D65), over 100; half the absolute difference of L to the place on the right; half that to the place below (0 at the
// border). Two pictures are as far apart as the mean square of the differences of these 5 x 32 x 32 numbers, the least
// over shifts of the first picture by -2 to 2 places each way, its border repeated: the same thing drawn a little
// elsewhere is near.

import type { RgbImage } from '../../../lib/image/input.ts'
import { toLab } from './lab.ts'

/** Places on each side. */
export const grid = 32
/** Numbers at each place: L, a, b, difference to the right, difference below. */
export const channels = 5
/** Places that a picture may be shifted by, each way. */
export const largestShift = 2

/** (32, 32, 5): features of one picture. */
export type Features = Float32Array

/** Means of red, green and blue in 0..1 over each of 32x32 areas, (32, 32, 3). */
function areaMeans({ data, width, height }: RgbImage): Float64Array {
  const [w, h] = [width / grid, height / grid]
  if (!Number.isInteger(w) || !Number.isInteger(h)) {
    throw new RangeError(`Features need sides that are multiples of ${grid}, got ${width}x${height}.`)
  }
  const sums = new Float64Array(grid * grid * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const place = (Math.floor(y / h) * grid + Math.floor(x / w)) * 3
      for (let c = 0; c < 3; c++) sums[place + c]! += data[(y * width + x) * 3 + c]!
    }
  }
  return sums.map((sum) => sum / (w * h * 255))
}

/** The features of a picture whose sides are multiples of 32. */
export function featuresOf(picture: RgbImage): Features {
  const means = areaMeans(picture)
  const out = new Float32Array(grid * grid * channels)
  for (let i = 0; i < grid * grid; i++) {
    const lab = toLab(means[3 * i]!, means[3 * i + 1]!, means[3 * i + 2]!)
    for (let c = 0; c < 3; c++) out[i * channels + c] = lab[c]! / 100
  }
  const light = (y: number, x: number) => out[(y * grid + x) * channels]!
  for (let y = 0; y < grid; y++) {
    for (let x = 0; x < grid; x++) {
      const at = (y * grid + x) * channels
      out[at + 3] = x + 1 < grid ? Math.abs(light(y, x + 1) - light(y, x)) / 2 : 0
      out[at + 4] = y + 1 < grid ? Math.abs(light(y + 1, x) - light(y, x)) / 2 : 0
    }
  }
  return out
}

/** The features shifted by (dy, dx) places, the border repeated. */
function shifted(features: Features, dy: number, dx: number): Features {
  const inside = (i: number) => Math.min(Math.max(i, 0), grid - 1)
  const out = new Float32Array(features.length)
  for (let y = 0; y < grid; y++) {
    for (let x = 0; x < grid; x++) {
      const from = (inside(y + dy) * grid + inside(x + dx)) * channels
      out.set(features.subarray(from, from + channels), (y * grid + x) * channels)
    }
  }
  return out
}

/** The sum of squared differences, or anything above `most` when it is more than that. */
function squaredDistance(a: Features, b: Features, most: number): number {
  const row = grid * channels
  let sum = 0
  for (let begin = 0; begin < a.length && sum <= most; begin += row) {
    for (let i = begin; i < begin + row; i++) sum += (a[i]! - b[i]!) ** 2
  }
  return sum
}

/** The distance of a picture to each original. */
export function distances(picture: Features, originals: readonly Features[]): number[] {
  const least = originals.map(() => Infinity)
  for (let dy = -largestShift; dy <= largestShift; dy++) {
    for (let dx = -largestShift; dx <= largestShift; dx++) {
      const moved = shifted(picture, dy, dx)
      originals.forEach((original, i) => {
        least[i] = Math.min(least[i]!, squaredDistance(moved, original, least[i]!))
      })
    }
  }
  return least.map((sum) => sum / (grid * grid * channels))
}

/** How many originals are nearer to the picture than the named one: 0 is the nearest. */
export function rankOf(named: number, picture: Features, originals: readonly Features[]): number {
  const all = distances(picture, originals)
  return all.filter((distance) => distance < all[named]!).length
}
