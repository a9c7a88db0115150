// Precision `fast`, by numbers that tell where sums are fp16 and where float32: 32 products in fp16, steps of them in float32.

import { it as check, describe, expect, inject } from 'vitest'
import type { GpuPrecision } from '../../lib/runtime/target.ts'
import { fastSumLoss } from '../../lib/selftest/fast-sums.ts'
import { roundTo } from '../../lib/selftest/half.ts'
import { noise, type OpCase } from '../../lib/selftest/op-case.ts'
import { makeData, referenceOf } from '../../lib/selftest/run-case.ts'
import { architectures, elementTypes } from './build.ts'
import { runOn } from './run-op.ts'

const missing =
  inject('ptxMissing') ||
  (['f16', 'fast'].every((name) => elementTypes.includes(name)) ? '' : 'f16 or fast was not built')
const it = check.skipIf(missing)

/** The element of y where each row of x is `factors`, and all weights are 1. */
function sumOf(factors: readonly number[], precision: GpuPrecision, architecture: number): number {
  const [m, n, k] = [16, 8, factors.length]
  const x = Float32Array.from({ length: m * k }, (_, i) => factors[i % k]!)
  const c: OpCase = {
    ...{ op: 'linear', dims: { m, n, k }, params: { activation: 'none' }, dtype: 'f16' },
    inputs: { x, w: new Float32Array(n * k).fill(1) },
  }
  const gpu = { architecture, processors: 1, order: 'forward' } as const
  const y = runOn(gpu, c, makeData(c, 'f16'), precision).outputs.get('y')!
  expect(new Set(y).size).toBe(1)
  return y[0]!
}

/** `factors` at their places among zeros. */
const places = (count: number, factors: Readonly<Record<number, number>>) =>
  Array.from({ length: count }, (_, i) => factors[i] ?? 0)

const bothOn = (architecture: number, factors: readonly number[]) =>
  (['f16', 'fast'] as const).map((precision) => sumOf(factors, precision, architecture))

// Its tensor cores are as fast with float32 sums.
describe.runIf(architectures.includes(90))('fast on Hopper', () => {
  it('sums in float32', () => {
    expect(bothOn(90, places(64, { 0: 2048, 1: 1, 2: 1, 3: 1, 32: -2048 }))).toEqual([3, 3])
    expect(bothOn(90, places(64, { 0: 60000, 1: 6000, 32: -6000 }))).toEqual([60000, 60000])
  })
})

describe.each(architectures.filter((architecture) => architecture !== 90))(
  'fast on sm_%i',
  (architecture) => {
    const both = (factors: readonly number[]) => bothOn(architecture, factors)

    it('rounds the sum of a step to fp16', () => {
      // 2051 lies between 2050 and 2052.
      expect(both(places(64, { 0: 2048, 1: 1, 2: 1, 3: 1, 32: -2048 }))).toEqual([3, 4])
      // The second half of the step begins at the sum of the first.
      expect(both(places(64, { 0: 2048, 16: 3, 32: -2048 }))).toEqual([3, 4])
    })

    it('adds steps up in float32', () => {
      expect(both(places(96, { 0: 2048, 32: 1, 64: -2048 }))).toEqual([1, 1])
      // Nothing of a step is left for the next.
      expect(both(places(96, { 31: 5, 32: 7, 95: 11 }))).toEqual([23, 23])
    })

    it('has infinity where 32 products are more than fp16 holds', () => {
      expect(both(places(64, { 0: 60000, 1: 6000, 32: -6000 }))).toEqual([60000, Number.POSITIVE_INFINITY])
    })

    it('loses what fp16 rounding of 32 products does, and no more', () => {
      const c: OpCase = {
        ...{ op: 'linear', dims: { m: 64, n: 64, k: 640 }, params: { activation: 'none' }, dtype: 'f16' },
        inputs: { x: noise(64 * 640, 11), w: noise(64 * 640, 12) },
      }
      const data = makeData(c, 'f16')
      const truth = referenceOf(c, data, (value) => value).get('y')!
      const rms = (f: (i: number) => number) =>
        Math.sqrt(truth.reduce((sum, _, i) => sum + f(i) ** 2, 0) / truth.length)
      const gpu = { architecture, processors: 20, order: 'random' } as const
      const y = runOn(gpu, c, data, 'fast').outputs.get('y')!
      // What storing y loses has nothing to do with what its sums lose.
      const stored = rms((i) => roundTo('f16', truth[i]!) - truth[i]!)
      const summed = Math.sqrt(rms((i) => y[i]! - truth[i]!) ** 2 - stored ** 2)
      const loss = summed / rms((i) => truth[i]!)
      expect(loss).toBeLessThan(fastSumLoss)
      expect(loss).toBeGreaterThan(fastSumLoss / 2)
    })
  },
)
