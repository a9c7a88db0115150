import { describe, expect, it } from 'vitest'
import { cutStrips, fewestRows, overlapsOf, rowsOfStrip } from '../../../lib/pipelines/strips.ts'

/** Every height and number of strips that is allowed, for small pictures. */
const cases = [1, 3, 7].flatMap((reach) =>
  [20, 64, 96, 97, 131, 512].flatMap((height) =>
    Array.from({ length: 20 }, (_, i) => ({ height, count: i + 1, reach })).filter(
      ({ count }) => count === 1 || rowsOfStrip(height, count, reach) >= fewestRows(reach),
    ),
  ),
)

describe('strips', () => {
  it.each(cases)('$count of $height rows, reach $reach', ({ height, count, reach }) => {
    const strips = cutStrips(height, count, reach)
    const { rows, list } = strips
    expect(list).toHaveLength(count)
    expect(list[0]!.start).toBe(0)
    expect(list.at(-1)!.start + rows).toBe(height)
    // Every row is kept once, and from a strip whose inner edges are far.
    expect(list.map(({ kept }) => kept[0])).toEqual([0, ...list.slice(0, -1).map(({ kept }) => kept[1])])
    expect(list.at(-1)!.kept[1]).toBe(height)
    for (const { start, kept } of list) {
      expect(kept[1]).toBeGreaterThan(kept[0])
      if (start > 0) expect(kept[0] - start).toBeGreaterThanOrEqual(reach)
      if (start + rows < height) expect(start + rows - kept[1]).toBeGreaterThanOrEqual(reach)
    }
    // Only neighbours overlap, and so that the edges of one do not meet those of the other.
    const overlaps = overlapsOf(strips)
    for (const [first, end] of overlaps) expect(end - first).toBeGreaterThanOrEqual(2 * reach)
    for (const [i, [first]] of overlaps.slice(1).entries()) {
      expect(first).toBeGreaterThanOrEqual(overlaps[i]![1])
    }
    // Strips count once, overlaps take back: in sum, every row counts once.
    const counts = new Array<number>(height).fill(0)
    for (const { start } of list) for (let row = start; row < start + rows; row++) counts[row]!++
    for (const [first, end] of overlaps) for (let row = first; row < end; row++) counts[row]!--
    expect(counts.every((times) => times === 1)).toBe(true)
  })
})
