// Layers that share a launch: what is joined and what is not.

import { describe, expect, it } from 'vitest'
import type { Graph, Node, Value } from '../../../lib/graph/graph.ts'
import { joinLayers } from '../../../lib/graph/join-layers.ts'
import { verify } from '../../../lib/graph/verify.ts'

/** A graph of layers over rows of 4, by hand: values are `name: shape`, weights begin with w. */
function graphOf(
  values: Readonly<Record<string, readonly number[]>>,
  nodes: readonly Node[],
  output: number,
): Graph {
  const all = Object.entries(values).map(([name, shape]): Value => {
    const kind = name.startsWith('w') ? 'weight' : name === 'x' ? 'input' : 'computed'
    return { kind, name, dtype: 'f32', shape }
  })
  return verify({ values: all, nodes, inputs: [0], outputs: [{ name: 'y', value: output }] })
}

const layer = (x: number, w: number, y: number, more: Partial<Node> = {}): Node => ({
  op: 'linear',
  dims: { m: 3, n: 4, k: 4 },
  ...more,
  operands: { x, w, y, ...more.operands },
  params: { activation: 'none', algorithm: 'direct', ...more.params },
})
const add = (a: number, b: number, y: number): Node => ({
  ...{ op: 'add', dims: { count: 12 }, operands: { a, b, y }, params: {} },
})
const rows = [3, 4] as const
const square = [4, 4] as const
const opsOf = (graph: Graph) => verify(joinLayers(graph)).nodes.map(({ op }) => op)

describe('layers of the same rows', () => {
  const values = { x: rows, w0: square, w1: square, a: rows, b: rows, y: rows }

  it('become one op where the first of them stood', () => {
    const graph = graphOf(values, [layer(0, 1, 3), layer(0, 2, 4), add(3, 4, 5)], 5)
    const [joined, ...rest] = verify(joinLayers(graph)).nodes
    expect(joined).toEqual({
      op: 'projections',
      dims: { m: 3, n: 4, k: 4 },
      operands: { x: 0, w0: 1, y0: 3, w1: 2, y1: 4 },
      params: { eps: 0, activation: 'none' },
    })
    expect(rest.map(({ op }) => op)).toEqual(['add'])
  })

  it.each([
    ['another input', layer(3, 2, 4)],
    ['an activation', layer(0, 2, 4, { params: { activation: 'silu' } })],
    ['a residual', layer(0, 2, 4, { operands: { residual: 0 } })],
  ])('stay apart with %s', (_, second) => {
    expect(opsOf(graphOf(values, [layer(0, 1, 3), second, add(3, 4, 5)], 5))).toEqual([
      'linear',
      'linear',
      'add',
    ])
  })

  it('are at most six to an op', () => {
    const names = Array.from({ length: 7 }, (_, i) => i)
    const many = {
      ...{ x: rows },
      ...Object.fromEntries(names.map((i) => [`w${i}`, square])),
      ...Object.fromEntries(names.map((i) => [`a${i}`, rows])),
      y: rows,
    }
    const layers = names.map((i) => layer(0, 1 + i, 8 + i))
    expect(opsOf(graphOf(many, [...layers, add(8, 14, 15)], 15))).toEqual(['projections', 'linear', 'add'])
  })
})
