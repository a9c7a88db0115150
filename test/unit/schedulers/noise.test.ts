// Seeds are contracts: our noise against torch's (test/golden/schedulers/make_noise.py) and published vectors.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Mt19937 } from '../../../lib/schedulers/mt19937.ts'
import { createGenerator, type Rng } from '../../../lib/schedulers/noise.ts'
import { philox4x32 } from '../../../lib/schedulers/philox.ts'

interface Draw {
  readonly shape: readonly number[]
  readonly length: number
  readonly values: readonly number[]
  readonly sum: number
}

const { runs }: { runs: readonly { rng: Rng; seed: string; draws: readonly Draw[] }[] } = JSON.parse(
  readFileSync('test/golden/schedulers/noise.json', 'utf8'),
)

function sample(values: Float32Array): number[] {
  if (values.length <= 100) return [...values]
  const between = [...values.subarray(20, -20)].filter((_, i) => i % 997 === 0)
  return [...values.subarray(0, 20), ...between, ...values.subarray(-20)]
}

describe('golden draws', () => {
  const title = ({ rng, seed, draws }: (typeof runs)[number]) =>
    `${rng} seed ${seed}: ${draws.map(({ shape }) => shape.join('x')).join(', ')}`
  test.each(runs.map((run) => [title(run), run] as const))('%s', (_, { rng, seed, draws }) => {
    const generator = createGenerator({ seed: BigInt(seed), rng })
    for (const { shape, length, values, sum } of draws) {
      const got = generator.randn(shape)
      expect(got).toHaveLength(length)
      sample(got).forEach((value, i) => {
        expect(Math.abs(value - values[i]!)).toBeLessThanOrEqual(1e-6)
      })
      expect(Math.abs(got.reduce((total, value) => total + value, 0) - sum)).toBeLessThan(
        1e-7 * length + 1e-6,
      )
    }
  })
})

test('numbers and bigints are the same seed', () => {
  const [a, b] = [createGenerator({ seed: 123 }), createGenerator({ seed: 123n, rng: 'torch-cpu' })]
  expect(a.randn(40)).toEqual(b.randn([5, 8]))
})

test('MT19937 gives its reference output: C++ demands 4123659995 as the 10,000th number of seed 5489', () => {
  const bits = new Mt19937(5489)
  let last = 0
  for (let i = 0; i < 10_000; i++) last = bits.next()
  expect(last).toBe(4123659995)
})

// Random123, examples/kat_vectors, "philox4x32 10".
test.each([
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
])('Philox 4x32-10 of counter %j, key %j', (counter, key, expected) => {
  const block = Uint32Array.from(counter)
  philox4x32(block, key[0]!, key[1]!)
  expect([...block]).toEqual(expected)
})

test('torch-cuda gives what A1111 publishes for seed 0 (modules/rng_philox.py)', () => {
  const published = [
    -0.92466259, -0.42534415, -2.6438457, 0.14518388, -0.12086647, -0.57972564, -0.62285122, -0.32838709,
    -1.07454231, -0.36314407, -1.67105067, 2.26550497,
  ]
  const got = createGenerator({ seed: 0, rng: 'torch-cuda' }).randn([3, 4])
  published.forEach((value, i) => {
    expect(Math.abs(got[i]! - value)).toBeLessThanOrEqual(1e-6)
  })
})

describe('bad input', () => {
  test.each([-1, 1.5, Number.NaN, 2 ** 53, Infinity, -1n, 2n ** 64n])('seed %s', (seed) => {
    expect(() => createGenerator({ seed })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  test('an unknown generator names the nearest', () => {
    const options: { seed: number; rng: Rng } = { seed: 1, ...JSON.parse('{"rng":"torch-gpu"}') }
    expect(() => createGenerator(options)).toThrow(expect.objectContaining({ code: 'UNKNOWN_OPTION' }))
    expect(() => createGenerator(options)).toThrow('torch-cpu')
  })

  test.each([[-1], [1.5], [2 ** 30], [Number.NaN]])('shape %s', (size) => {
    expect(() => createGenerator({ seed: 1 }).randn(size)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })
})
