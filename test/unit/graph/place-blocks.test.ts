// Where blocks are placed: as the plain algorithm does that looks at all of them, without looking at all of them.

import { describe, expect, it } from 'vitest'
import { type Block, type Placement, placeBlocks } from '../../../lib/graph/plan-memory.ts'

function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

/** Most live for a few moments, some long, as skip connections do; many are equally large, some empty. */
function blocksOf(count: number, seed: number): Block[] {
  const next = random(seed)
  return Array.from({ length: count }, (_, first) => {
    const moments = next() < 0.1 ? Math.floor((next() * count) / 2) : Math.floor(next() * 4)
    return { size: 256 * Math.floor(next() * 20), first, last: first + moments }
  })
}

function placeLookingAtAll(blocks: readonly Block[], reuse: boolean): Placement<Block> {
  const placed: (Block & { readonly offset: number })[] = []
  for (const block of blocks.toSorted((a, b) => b.size - a.size || a.first - b.first)) {
    let offset = 0
    for (const other of placed) {
      if (reuse && (other.first > block.last || block.first > other.last)) continue
      if (offset + block.size <= other.offset) break
      offset = Math.max(offset, other.offset + other.size)
    }
    placed.push({ ...block, offset })
    placed.sort((a, b) => a.offset - b.offset)
  }
  return { placed, end: Math.max(0, ...placed.map(({ offset, size }) => offset + size)) }
}

/** How often the moments of a chain of blocks are looked at, each of which meets the next. */
function looksAt(count: number): number {
  let looks = 0
  const counted = (moment: number) => {
    const toPrimitive = () => {
      looks++
      return moment
    }
    return { [Symbol.toPrimitive]: toPrimitive } as unknown as number
  }
  const next = random(1)
  placeBlocks(
    Array.from({ length: count }, (_, i) => ({
      ...{ size: 256 * Math.ceil(next() * 1000), first: counted(i), last: counted(i + 1) },
    })),
  )
  return looks
}

describe('placeBlocks', () => {
  it.each([0, 1, 2, 10, 100, 400])('places %i blocks where looking at all of them does', (count) => {
    for (let seed = 1; seed <= 5; seed++) {
      const blocks = blocksOf(count, seed)
      for (const reuse of [true, false]) {
        expect(placeBlocks(blocks, reuse)).toEqual(placeLookingAtAll(blocks, reuse))
      }
    }
  })

  it('looks at ten times as many blocks about ten times as often, not a hundred times', () => {
    expect(looksAt(5000)).toBeLessThan(20 * looksAt(500))
  })
})
