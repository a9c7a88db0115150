// Known colours in CIE Lab (D65, two degrees).

import { expect, it } from 'vitest'
import { labDistance, toLab } from '../../../models/default/evaluate/lab.ts'

// textbook values of sRGB's corners; the matrix has four digits, hence the tolerance
it.each([
  ['white', [1, 1, 1], [100, 0, 0]],
  ['black', [0, 0, 0], [0, 0, 0]],
  ['red', [1, 0, 0], [53.24, 80.09, 67.2]],
  ['green', [0, 1, 0], [87.73, -86.18, 83.18]],
  ['blue', [0, 0, 1], [32.3, 79.19, -107.86]],
  ['middle gray', [0.5, 0.5, 0.5], [53.39, 0, 0]],
  ['nearly black', [0.01, 0.01, 0.01], [0.7, 0, 0]],
] as const)('%s', (_, [r, g, b], expected) => {
  const lab = toLab(r, g, b)
  lab.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!)).toBeLessThan(0.03)
  })
})

it('measures the Euclidean distance', () => {
  expect(labDistance([10, 0, 5], [13, 4, 5])).toBe(5)
})
