// Scores that are no numbers to speak of, on the CPU.

import { describe, it } from 'vitest'
import { check, type OpCase } from './harness.ts'

const [keys, heads, c] = [300, 2, 16]

/** Keys whose products with queries of ones are `low` up to the 200th, which is beyond the first tile of them. */
const beginningWith = (low: number): OpCase => ({
  ...{ op: 'attention', dims: { n: 1, lq: 3, lk: keys, c } },
  params: { heads, scale: 1, mask: 'none' },
  inputs: {
    q: new Float32Array(3 * c).fill(1),
    k: Float32Array.from({ length: keys * c }, (_, i) => (i < 200 * c ? low : Math.sin(i) / 4)),
  },
})

describe('attention', () => {
  it.each([Number.NEGATIVE_INFINITY, -3e38])('gives keys of %d no weight, and no other a wrong one', (low) =>
    check(beginningWith(low)),
  )
})
