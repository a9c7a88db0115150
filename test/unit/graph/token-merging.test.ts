// What the references of token merging mean, on maps that can be checked by eye, and that guidance still shares them.

import { describe, expect, it } from 'vitest'
import { interpret } from '../../../lib/graph/interpret.ts'
import { matchTokens as matchOp, windowsOf } from '../../../lib/graph/ops/token-merging.ts'
import { shareCopies } from '../../../lib/graph/share-copies.ts'
import { verify } from '../../../lib/graph/verify.ts'
import {
  attention,
  matchTokens,
  mergeTokens,
  tile,
  toPixels,
  unmergeTokens,
} from '../../../lib/tensor/functional.ts'
import { Trace } from '../../../lib/tensor/trace.ts'

interface Match {
  readonly h: number
  readonly w: number
  readonly kept: number
  readonly corners?: readonly number[]
}

/** Tokens as directions in degrees; those that are merged point nearly the same way. */
function rowsOf(degrees: readonly number[], { h, w, kept, corners }: Match): number[] {
  const windows = windowsOf(h, w)
  const x = degrees.flatMap((angle) => [Math.cos(angle / 57.3), Math.sin(angle / 57.3)])
  const rows = new Int32Array(h * w)
  matchOp.reference(
    {
      ...{ x: Float64Array.from(x), rows, n: 1, h, w, c: 2, windows, kept },
      corners: Int32Array.from({ length: windows }, (_, i) => corners?.[i] ?? 0),
    },
    (value) => value,
  )
  return [...rows]
}

describe('matchTokens', () => {
  it('merges the most similar tokens of a window into the one at its corner, and numbers the others in order', () => {
    expect(rowsOf([0, 90, 10, 50], { h: 2, w: 2, kept: 3 })).toEqual([0, 1, 0, 2])
    expect(rowsOf([0, 90, 10, 50], { h: 2, w: 2, kept: 2 })).toEqual([0, 1, 0, 0])
    expect(rowsOf([0, 90, 10, 50], { h: 2, w: 2, kept: 1 })).toEqual([0, 0, 0, 0])
    expect(rowsOf([0, 90, 10, 50], { h: 2, w: 2, kept: 4 })).toEqual([0, 1, 2, 3])
  })

  it('keeps the corner that it is told', () => {
    expect(rowsOf([0, 95, 15, 50], { h: 2, w: 2, kept: 3, corners: [3] })).toEqual([0, 1, 2, 2])
    expect(rowsOf([0, 95, 15, 50], { h: 2, w: 2, kept: 3, corners: [1] })).toEqual([0, 1, 2, 1])
  })

  it('looks for the nearest one in all windows', () => {
    const degrees = [0, 80, 90, 40]
    expect(rowsOf(degrees, { h: 1, w: 4, kept: 3 })).toEqual([0, 1, 1, 2])
    // The kept token may come later, and numbers count what stays before it.
    expect(rowsOf([0, 170, 90, 95, 165, 20], { h: 1, w: 6, kept: 4 })).toEqual([0, 2, 1, 1, 2, 3])
  })

  it('takes the first of several that are alike', () => {
    expect(rowsOf([5, 5, 5, 5, 5, 5, 5, 5], { h: 2, w: 4, kept: 6 })).toEqual([0, 0, 1, 0, 2, 3, 4, 5])
  })

  it('has windows of one or two tokens where a side is odd', () => {
    expect(windowsOf(3, 3)).toBe(4)
    expect(windowsOf(1, 1)).toBe(1)
    // Corner 3 of the windows at the edges is the last token that there is.
    const rows = rowsOf([0, 0, 90, 0, 0, 90, 45, 45, 120], { h: 3, w: 3, kept: 4, corners: [3, 3, 3, 3] })
    expect(rows).toEqual([0, 0, 1, 0, 0, 1, 2, 2, 3])
    expect(rowsOf([30], { h: 1, w: 1, kept: 1, corners: [3] })).toEqual([0])
  })
})

/** Two copies of the same tokens, as guidance has them, merged for an attention that sees contexts of their own. */
function guided(kept: number) {
  const trace = new Trace()
  const both = tile(trace.input('x', 'f32', [1, 6, 4]), 2)
  const corners = trace.input('corners', 'i32', [2])
  const context = trace.input('context', 'f32', [2, 5, 4])
  const rows = matchTokens(both, { height: 2, width: 3, corners, kept })
  const merged = mergeTokens(both, rows, kept)
  const seen = unmergeTokens(attention(merged, merged, merged, { heads: 2 }), rows, both)
  trace.output('y', attention(seen, context, context, { heads: 2 }))
  return verify(trace.graph())
}

const numbers = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed))

const run = (graph: ReturnType<typeof guided>) =>
  interpret(graph, {
    inputs: { x: numbers(24, 1), context: numbers(48, 2), corners: Int32Array.of(2, 1) },
    weight: () => expect.fail('there are no weights'),
  })

describe('both halves of guidance', () => {
  it('merge once what they have in common', () => {
    const graph = guided(4)
    const shared = verify(shareCopies(graph))
    const batches = shared.nodes.map(({ op, dims }) => [op, dims.n])
    expect(batches.filter(([op]) => op !== 'tile')).toEqual([
      ['matchTokens', 1],
      ['mergeTokens', 1],
      ['attention', 1],
      ['unmergeTokens', 1],
      ['attention', 2],
    ])
    expect(run(shared)).toEqual(run(graph))
  })

  it('may read what was matched once for tokens of their own, or give it away', () => {
    const trace = new Trace()
    const both = tile(trace.input('x', 'f32', [1, 6, 4]), 2)
    const corners = trace.input('corners', 'i32', [2])
    const rows = matchTokens(both, { height: 2, width: 3, corners, kept: 4 })
    trace.output('merged', mergeTokens(trace.input('context', 'f32', [2, 6, 4]), rows, 4))
    trace.output('rows', rows)
    trace.output('pixels', toPixels(both))
    const graph = verify(trace.graph())
    expect(run(verify(shareCopies(graph)))).toEqual(run(graph))
  })
})

describe('tensors', () => {
  const tokens = () => new Trace().input('x', 'f32', [1, 6, 4])

  it('say which sizes do not fit', () => {
    const x = tokens()
    const corners = x.trace.input('corners', 'i32', [2])
    expect(() => matchTokens(x, { height: 2, width: 2, corners, kept: 4 })).toThrow(/2x2 tokens, got 6/)
    expect(() => matchTokens(x, { height: 6, width: 1, corners, kept: 4 })).toThrow(/3 corners, got 2/)
    const rows = matchTokens(x, { height: 2, width: 3, corners, kept: 4 })
    const other = x.trace.input('other', 'f32', [1, 5, 4])
    expect(() => mergeTokens(other, rows, 4)).toThrow(/rows of \(1,5\), got \(1,6\)/)
    expect(() => unmergeTokens(other, rows, other)).toThrow(/rows of \(1,5\), got \(1,6\)/)
    expect(() => unmergeTokens(x.trace.input('wide', 'f32', [1, 4, 5]), rows, x)).toThrow(/got \(1,4,5\)/)
  })

  it.each([
    [1, /1 tokens kept, expected 2 to 6/],
    [7, /7 tokens kept, expected 2 to 6/],
  ])('refuse to keep %i of six tokens in two windows', (kept, message) => {
    expect(() => guided(kept)).toThrow(message)
  })
})
