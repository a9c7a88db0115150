// What sums in fp16 lose, by hand: the number that kernels of precision `fast` are judged by.

import { describe, expect, it } from 'vitest'
import { fastSumLoss, lossOf, sumLossOf } from '../../../lib/selftest/fast-sums.ts'
import { roundTo } from '../../../lib/selftest/half.ts'
import { judge } from '../../../lib/selftest/judge.ts'
import { noise, type OpCase } from '../../../lib/selftest/op-case.ts'

const half = (value: number) => roundTo('f16', value)

interface Factors {
  readonly a: Float32Array
  readonly b: Float32Array
}

/** As the kernels do it: fp16 for `promoted` products, rounded after each eight, then float32. */
function fastSum({ a, b }: Factors, promoted = 32): number {
  let sum = 0
  for (let first = 0; first < a.length; first += promoted) {
    let part = 0
    for (let i = first; i < Math.min(first + promoted, a.length); i++) {
      part += a[i]! * b[i]!
      if (i % 8 === 7) part = half(part)
    }
    sum = Math.fround(sum + part)
  }
  return sum
}

const exactSum = ({ a, b }: Factors) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
const rms = (values: readonly number[]) =>
  Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length)

const depth = 1280
const factors = Array.from({ length: 400 }, (_, i) => ({
  a: noise(depth, 2 * i + 1).map(half),
  b: noise(depth, 7919 * i + 2).map(half),
}))
const exact = factors.map(exactSum)
const errorOf = (sums: readonly number[]) => rms(sums.map((sum, i) => sum - exact[i]!)) / rms(exact)

describe('sums of fast', () => {
  it('lose sqrt(80 / 96) of half of the last place of fp16', () => {
    expect(fastSumLoss).toBeCloseTo(4.457e-4, 7)
  })

  it('lose no more than that, and not much less', () => {
    const error = errorOf(factors.map((one) => fastSum(one)))
    expect(error).toBeLessThan(fastSumLoss)
    expect(error).toBeGreaterThan(fastSumLoss / 2)
  })

  it('are wrong by at most 2^-9 of what is summed, whatever it is', () => {
    const positive = factors.map(({ a, b }) => ({ a: a.map(Math.abs), b: b.map(Math.abs) }))
    for (const one of [...factors, ...positive]) {
      const all = one.a.reduce((sum, value, i) => sum + Math.abs(value * one.b[i]!), 0)
      expect(Math.abs(fastSum(one) - exactSum(one))).toBeLessThanOrEqual(2 ** -9 * all)
    }
  })

  it('are allowed to products in fast alone', () => {
    expect(lossOf('conv2d', 'fast')).toBe(fastSumLoss)
    expect(lossOf('conv2d', 'f16')).toBe(0)
    expect(lossOf('attention', 'fast')).toBe(0)
  })

  it('are as much larger as rows are away from zero, where those are normalised behind their products', () => {
    const plain: OpCase = { op: 'projections', dims: { m: 2, n: 8, k: 4 }, params: { eps: 0 } }
    const normed: OpCase = { ...plain, given: ['gamma', 'beta'] }
    // Means of 0 and of 7, deviations of 1.
    const data = new Map([['x', Float32Array.of(1, -1, 1, -1, 6, 8, 6, 8)]])
    expect(sumLossOf(plain, data, 'fast')).toBe(fastSumLoss)
    expect(sumLossOf(normed, data, 'fast')).toBeCloseTo(fastSumLoss * Math.sqrt((1 + 50) / 2), 12)
    expect(sumLossOf(normed, data, 'f16')).toBe(0)
  })
})

describe('judge', () => {
  const truth = Float64Array.from(exact)
  const naive = Float64Array.from(exact, (value) => half(Math.fround(value)))
  const verdict = (sums: readonly number[], sumLoss: number) =>
    judge(sums.map(half), truth, naive, { store: half, allowance: 1, sumLoss }).wrong

  it('takes sums of fast for what they are', () => {
    const sums = factors.map((one) => fastSum(one))
    expect(verdict(sums, fastSumLoss)).toBeUndefined()
    expect(verdict(sums, 0)).toMatch(/rms error/)
  })

  it('refuses sums that stay in fp16', () => {
    expect(
      verdict(
        factors.map((one) => fastSum(one, depth)),
        fastSumLoss,
      ),
    ).toMatch(/rms error/)
  })
})
