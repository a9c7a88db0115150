import { describe, expect, it } from 'vitest'
import {
  memoryBudget as budget,
  type Cut,
  chooseTiling,
  keptStops,
} from '../../../lib/pipelines/choose-tiling.ts'
import type { StripPlan } from '../../../lib/pipelines/strip-plan.ts'

interface Sizes {
  /** Bytes of the part in one piece. */
  readonly piece?: number
  /** Of the other part's arena if it were one strip. */
  readonly arena: number
  /** Of the maps in front of its norms. */
  readonly norms?: readonly number[]
  /** Work besides a fixed amount for each norm that is not kept. */
  readonly products?: number
  /** How many strips there may be. */
  readonly most?: number
}

/** A plan that says of itself what it is; memory is in proportion to the height of strips, as it is in fact. */
const cut = (level: number, { piece = 0, arena, norms = [], products = 0, most = 99 }: Sizes): Cut => ({
  level,
  piece: () => ({ products: 0, bytes: () => piece }),
  strips: () => ({
    norms,
    plan(count, kept) {
      if (count > most) return undefined
      const mapBytes = Math.max(0, ...kept.map((stop) => norms[stop - 1]!))
      return {
        plan: { count, kept } as unknown as StripPlan,
        ...{ mapBytes, bytes: mapBytes + arena / count, products: products + norms.length - kept.length },
      }
    },
  }),
})

const choose = (...cuts: Cut[]) => {
  const tiling = chooseTiling('auto', () => 9e9, cuts)
  return tiling && { level: tiling.level, ...(tiling.plan as unknown as { count: number; kept: number[] }) }
}

describe('chooseTiling', () => {
  it('leaves alone what fits, unless told otherwise', () => {
    const half = cut(2, { arena: budget })
    expect(chooseTiling('auto', () => budget, [half])).toBeUndefined()
    expect(chooseTiling('auto', () => budget + 1, [half])).toMatchObject({ level: 2, plan: { count: 2 } })
    expect(chooseTiling(true, () => 1, [half])).toMatchObject({ level: 2, plan: { count: 2 } })
    expect(chooseTiling(false, () => 100 * budget, [half])).toBeUndefined()
  })

  it('does not plan what it does not need', () => {
    const never = () => expect.unreachable()
    const unknown: Cut = { level: 1, piece: never, strips: never }
    expect(chooseTiling(false, never, [unknown])).toBeUndefined()
    expect(chooseTiling('auto', () => 1, [unknown])).toBeUndefined()
    // Nothing is better than to keep everything.
    expect(choose(cut(2, { arena: budget, norms: [1, 2] }), unknown)).toEqual({
      level: 2,
      count: 2,
      kept: [1, 2],
    })
  })

  it('takes as many strips as memory asks for', () => {
    expect(choose(cut(2, { arena: 2 * budget }))?.count).toBe(2)
    expect(choose(cut(2, { arena: 2.1 * budget }))?.count).toBe(3)
    expect(choose(cut(2, { arena: 5 * budget }))?.count).toBe(6)
    // Maps stay beside the strips.
    expect(choose(cut(2, { arena: 2 * budget, norms: [0.6 * budget] }))).toMatchObject({
      count: 6,
      kept: [1],
    })
  })

  it('keeps what there is room for, the largest maps first to go', () => {
    const norms = [0.9, 0.5, 2, 0.5, 1.1].map((part) => part * budget)
    expect(choose(cut(2, { arena: 0.1 * budget, norms }))).toMatchObject({ count: 2, kept: [1, 2, 4] })
    expect(choose(cut(2, { arena: 0.9 * budget, norms }))).toMatchObject({ count: 12, kept: [1, 2, 4] })
    expect(choose(cut(2, { arena: 0.9 * budget, norms, most: 8 }))).toMatchObject({ count: 2, kept: [2, 4] })
    expect(choose(cut(2, { arena: 4 * budget, norms, most: 6 }))).toMatchObject({ count: 4, kept: [] })
  })

  it('may use what the other part takes anyway', () => {
    const norms = [1.5 * budget]
    expect(choose(cut(2, { arena: 1, norms }))).toMatchObject({ kept: [] })
    expect(choose(cut(2, { piece: 1.6 * budget, arena: 1, norms }))).toMatchObject({ kept: [1] })
  })

  it('cuts where the rest fits', () => {
    const early = cut(1, { piece: budget / 2, arena: 2 * budget, products: 9 })
    expect(choose(cut(2, { piece: budget + 1, arena: budget }), early)?.level).toBe(1)
    expect(choose(cut(2, { piece: budget, arena: budget }), early)?.level).toBe(2)
  })

  it('cuts where there is least to compute', () => {
    const late = cut(2, { arena: budget, norms: [2 * budget, 2 * budget], products: 10 })
    expect(choose(late, cut(1, { arena: budget, norms: [1, 1], products: 11 }))).toMatchObject({ level: 1 })
    expect(choose(late, cut(1, { arena: budget, norms: [1, 1], products: 13 }))).toMatchObject({ level: 2 })
  })

  it('takes the least where nothing fits', () => {
    const cuts = [4, 2, 3].map((piece, i) => cut(2 - i, { piece: piece * budget, arena: 0 }))
    expect(choose(...cuts)?.level).toBe(1)
    expect(chooseTiling('auto', () => 2 * budget, cuts)).toBeUndefined()
    expect(choose(cut(2, { arena: 9 * budget, most: 4 }))).toMatchObject({ count: 4 })
  })

  it('leaves alone what has too few rows', () => {
    const low = cut(2, { arena: budget, most: 1 })
    expect(chooseTiling(true, () => 2 * budget, [low])).toBeUndefined()
    expect(choose(low, cut(1, { arena: budget }))?.level).toBe(1)
    expect(chooseTiling(true, () => 2 * budget, [])).toBeUndefined()
  })
})

describe('keptStops', () => {
  it('goes from all maps to none, the largest first', () => {
    expect(keptStops([3, 1, 2, 3])).toEqual([[1, 2, 3, 4], [2, 3], [2], []])
    expect(keptStops([])).toEqual([[]])
  })
})
