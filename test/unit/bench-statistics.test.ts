import { describe, expect, it } from 'vitest'
import { groupsThatFit } from '../../bench/stages/groups.ts'
import { relativeL2, summarize } from '../../bench/statistics.ts'

describe('summarize', () => {
  it('gives median and quartiles of unsorted samples', () => {
    expect(summarize([5, 1, 4, 2, 3])).toEqual({ runs: 5, median: 3, lower: 2, upper: 4, min: 1, max: 5 })
    expect(summarize([1, 2]).median).toBe(1.5)
    expect(summarize([7])).toMatchObject({ median: 7, lower: 7, upper: 7 })
  })

  it('has no median of nothing', () => {
    expect(() => summarize([])).toThrow(RangeError)
  })
})

describe('relativeL2', () => {
  it('is the norm of the difference over that of the reference', () => {
    expect(relativeL2(Float32Array.of(3, 4.5), Float32Array.of(3, 4))).toBeCloseTo(0.1, 12)
  })

  it('lets no wrong numbers pass', () => {
    expect(relativeL2(Float32Array.of(1, 2), Float32Array.of(1))).toBeNaN()
    expect(relativeL2(Float32Array.of(Number.NaN), Float32Array.of(1))).toBeNaN()
  })
})

describe('groupsThatFit', () => {
  it('puts all side by side where they fit', () => {
    expect(groupsThatFit(2, [3, 3, 3], 11)).toEqual([[0, 1, 2]])
  })

  it('begins another group, with tintype in it, where they do not', () => {
    expect(groupsThatFit(2, [3, 3, 3], 8)).toEqual([[0, 1], [2]])
  })

  it('still tries what is too large by estimate, alone', () => {
    expect(groupsThatFit(2, [50, 3], 8)).toEqual([[0], [1]])
  })

  it('measures tintype alone without peers', () => {
    expect(groupsThatFit(2, [], 8)).toEqual([[]])
  })
})
