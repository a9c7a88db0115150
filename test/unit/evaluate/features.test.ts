// The features against the same computed in Python, and what the distance must and must not forgive.

import { describe, expect, it } from 'vitest'
import type { RgbImage } from '../../../lib/image/input.ts'
import { channels, distances, featuresOf, grid, rankOf } from '../../../models/default/evaluate/features.ts'

const side = 64

/** A picture by a formula, its pixels moved to the right by `shift`. */
function picture(formula: (x: number, y: number) => readonly number[], shift = 0): RgbImage {
  const data = new Uint8Array(side * side * 3)
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) data.set(formula(x - shift, y), (y * side + x) * 3)
  }
  return { data, width: side, height: side }
}

const gradients = (x: number, y: number) => [(x * 4) % 256, (y * 4) % 256, (x * y) % 256]
const wrapped = (x: number, y: number) => gradients((x + side) % side, y)
const disc = (x: number, y: number) => ((x - 28) ** 2 + (y - 32) ** 2 < 300 ? [220, 40, 40] : [255, 255, 255])
const square = (x: number, y: number) =>
  Math.max(Math.abs(x - 28), Math.abs(y - 32)) < 15 ? [220, 40, 40] : [255, 255, 255]

describe('featuresOf', () => {
  // numpy and PyTorch: area means, Lab / 100, half the absolute differences of L
  it.each([
    [0, 0, [0.005137043, -0.0024335086, 0.0066227615, 0.0024305535, 0.0079425331]],
    [5, 17, [0.3420065, 0.4719591, -0.1566106, 0.0118289, 0.0251147]],
    [31, 31, [0.9561865, -0.1989836, 0.8175787, 0, 0]],
  ])('agrees with Python at (%i, %i)', (y, x, expected) => {
    const features = featuresOf(picture(gradients))
    const at = (y * grid + x) * channels
    expected.forEach((value, c) => {
      expect(features[at + c]).toBeCloseTo(value, 5)
    })
  })

  it('agrees with Python as a whole', () => {
    const features = featuresOf(picture(gradients))
    expect(features.reduce((sum, v) => sum + v * v, 0) / features.length).toBeCloseTo(0.13554991, 6)
  })

  it('refuses a size that has no whole areas', () => {
    expect(() => featuresOf({ data: new Uint8Array(40 * 40 * 3), width: 40, height: 40 })).toThrow(/40x40/)
  })
})

describe('distances', () => {
  it('agrees with Python', () => {
    const [distance] = distances(featuresOf(picture(gradients)), [featuresOf(picture(wrapped, 3))])
    expect(distance).toBeCloseTo(0.017, 4)
  })

  it('is nothing for the same picture two places away, and something three places away', () => {
    const still = featuresOf(picture(disc))
    const [two, three] = [4, 6].map((shift) => distances(featuresOf(picture(disc, shift)), [still])[0]!)
    expect(two).toBeLessThan(1e-12)
    expect(three).toBeGreaterThan(1e-3)
  })

  it('tells a disc from a square of the same colour, wherever it is', () => {
    const originals = [square, disc].map((shape) => featuresOf(picture(shape)))
    expect(rankOf(1, featuresOf(picture(disc, 3)), originals)).toBe(0)
    expect(rankOf(0, featuresOf(picture(disc, 3)), originals)).toBe(1)
  })
})
