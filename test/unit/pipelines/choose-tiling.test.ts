import { describe, expect, it } from 'vitest'
import { type Cut, chooseTiling, memoryBudget } from '../../../lib/pipelines/choose-tiling.ts'

/** Memory in proportion to rows, as it is in fact. */
const cut = (level: number, piece: number, wholeInStrips: number, features = 0): Cut => ({
  level,
  ...{ height: 100, reach: 4, features },
  piece: () => piece,
  strip: (rows) => (rows / 100) * wholeInStrips,
})
const budget = memoryBudget

describe('chooseTiling', () => {
  it('leaves alone what fits, unless told otherwise', () => {
    expect(chooseTiling('auto', () => budget, [cut(2, 0, budget)])).toBeUndefined()
    expect(chooseTiling('auto', () => budget + 1, [cut(2, 0, budget)])).toEqual({ level: 2, count: 2 })
    expect(chooseTiling(true, () => 1, [cut(2, 0, 1)])).toEqual({ level: 2, count: 2 })
    expect(chooseTiling(false, () => 100 * budget, [cut(2, 0, budget)])).toBeUndefined()
  })

  it('does not plan what it does not need', () => {
    const never = () => expect.unreachable()
    expect(chooseTiling(false, never, [])).toBeUndefined()
    expect(chooseTiling('auto', () => 1, [{ ...cut(2, 0, 0), piece: never, strip: never }])).toBeUndefined()
  })

  it('takes as many strips as memory asks for', () => {
    // 54, 39 and 31 of 100 rows.
    expect(chooseTiling('auto', () => 9e9, [cut(2, 0, budget / 0.54)])?.count).toBe(2)
    expect(chooseTiling('auto', () => 9e9, [cut(2, 0, budget / 0.539)])?.count).toBe(3)
    expect(chooseTiling('auto', () => 9e9, [cut(2, 0, budget / 0.32)])?.count).toBe(4)
    // Features stay beside the strips.
    expect(chooseTiling('auto', () => 9e9, [cut(2, 0, budget / 0.54, 0.25 * budget)])?.count).toBe(3)
  })

  it('cuts where the rest fits', () => {
    const late = cut(2, budget, 2 * budget, 1)
    const early = cut(1, budget / 2, 2 * budget, 1)
    expect(chooseTiling('auto', () => 2 * budget, [late, early])?.level).toBe(1)
    expect(chooseTiling('auto', () => 2 * budget, [{ ...late, features: 0 }, early])?.level).toBe(2)
  })

  it('takes the least where nothing fits', () => {
    const cuts = [cut(2, 4 * budget, 9 * budget), cut(1, 2 * budget, 9 * budget), cut(0, 3 * budget, 0)]
    expect(chooseTiling('auto', () => 9 * budget, cuts)?.level).toBe(1)
    expect(chooseTiling('auto', () => 2 * budget, cuts)).toBeUndefined()
  })

  it('leaves alone what has too few rows', () => {
    const low = { ...cut(2, 0, budget), height: 16, reach: 4 }
    expect(chooseTiling(true, () => 2 * budget, [low])).toBeUndefined()
    expect(chooseTiling(true, () => 2 * budget, [low, { ...low, level: 1, reach: 2 }])?.level).toBe(1)
    expect(chooseTiling(true, () => 2 * budget, [])).toBeUndefined()
  })
})
