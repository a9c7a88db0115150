// Scaling and compositing against PyTorch's antialiased bilinear interpolation.

import { describe, expect, it } from 'vitest'
import { compose, resize } from '../../../models/default/evaluate/placement.ts'

describe('resize', () => {
  // F.interpolate(x, mode="bilinear", antialias=True) of the squares 0, 1, 4, ... 49, the same in every row
  const squares = Array.from({ length: 64 }, (_, i) => (i % 8) ** 2)
  it.each([
    [7, [0.1666667, 1.8333333, 5.9444447, 12.5, 21.5, 32.9444504, 46.8333397]],
    [3, [2.0526316, 13.4523811, 35.578949]],
    [8, [0, 1, 4, 9, 16, 25, 36, 49]],
  ])('8 to %i', (side, expected) => {
    const out = resize(squares, { size: 8, side, channels: 1 })
    for (let y = 0; y < side; y++) {
      expected.forEach((value, x) => {
        expect(out[y * side + x]).toBeCloseTo(value, 4)
      })
    }
  })
})

describe('compose', () => {
  const size = 128
  const blue = [45, 110, 225]
  const rgba = new Uint8Array(size * size * 4)
  for (let y = 20; y < 100; y++) {
    for (let x = 30; x < 90; x++) rgba.set([200, 200, 200, 255], (y * size + x) * 4)
  }

  it('agrees with compose() of the training scripts', () => {
    const { data, width, height } = compose(rgba, size, blue)
    expect([width, height]).toEqual([size, size])
    const column = [22, 23, 24, 25].map((y) => [
      ...data.subarray((y * size + 60) * 3, (y * size + 60) * 3 + 3),
    ])
    expect(column).toEqual([
      [45, 110, 225],
      [131, 160, 211],
      [200, 200, 200],
      [200, 200, 200],
    ])
    const means = [0, 1, 2].map((c) => data.reduce((sum, v, i) => sum + (i % 3 === c ? v : 0), 0) / size ** 2)
    const expected = [83.59346, 132.40913, 218.77522]
    means.forEach((mean, c) => {
      expect(Math.abs(mean - expected[c]!)).toBeLessThan(0.02)
    })
  })
})
