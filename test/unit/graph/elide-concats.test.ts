// Values that are read side by side without being copied so: what can be read so, and what cannot.

import { describe, expect, it } from 'vitest'
import { elideConcats } from '../../../lib/graph/elide-concats.ts'
import type { Graph, Node, Value } from '../../../lib/graph/graph.ts'
import { verify } from '../../../lib/graph/verify.ts'

const [ca, cb, c, o] = [64, 8, 72, 16]
const pixels = { n: 1, h: 3, w: 2, ho: 3, wo: 2 }
const shapes = {
  a: [6, ca],
  b: [6, cb],
  rest: [1, o],
  both: [6, c],
  gamma: [c],
  beta: [c],
  weight: [o, c, 1, 1],
  bias: [o],
  norm: [6, c],
  shortcut: [6, o],
  spatial: [o, c, 3, 3],
} as const
const names = Object.keys(shapes) as (keyof typeof shapes)[]
const inputs: readonly (typeof names)[number][] = ['a', 'b', 'rest']
const id = (name: keyof typeof shapes) => names.indexOf(name)

const concat = (first = ca): Node => ({
  ...{ op: 'concat', dims: { m: 6, ca: first, cb: c - first, c }, params: {} },
  operands: { a: id('a'), b: id('b'), y: id('both') },
})
const groupNorm: Node = {
  ...{ op: 'groupNorm', dims: { n: 1, hw: 6, c }, params: { groups: 4, eps: 1e-5, activation: 'silu' } },
  operands: { x: id('both'), gamma: id('gamma'), beta: id('beta'), y: id('norm') },
}
const conv = (side = 1, more: { params?: object; operands?: object } = {}): Node => ({
  ...{ op: 'conv2d', dims: { ...pixels, c, o, kh: side, kw: side, rows: 1 } },
  operands: {
    ...{ x: id('both'), weight: id(side === 1 ? 'weight' : 'spatial'), bias: id('bias') },
    ...{ y: id('shortcut'), ...more.operands },
  },
  params: {
    ...{ stride: 1, padTop: side >> 1, padLeft: side >> 1, padBottom: side >> 1, padRight: side >> 1 },
    ...{ upsample: 1, activation: 'none', inputActivation: 'none', algorithm: 'direct', ...more.params },
  },
})

function graphOf(nodes: readonly Node[], outputs = [id('norm'), id('shortcut')], first = ca): Graph {
  const values = names.map((name): Value => {
    const isWeight = ['gamma', 'beta', 'weight', 'bias', 'spatial'].includes(name)
    const shape = name === 'a' ? [6, first] : name === 'b' ? [6, c - first] : shapes[name]
    const kind = isWeight ? 'weight' : inputs.includes(name) ? 'input' : 'computed'
    return { kind, name, dtype: 'f32', shape }
  })
  const written = new Set(nodes.flatMap(({ operands }) => [operands.y!]))
  return verify({
    ...{ values, nodes, inputs: inputs.map((name) => id(name)) },
    outputs: outputs
      .filter((value) => written.has(value))
      .map((value) => ({ name: values[value]!.name, value })),
  })
}
const opsOf = (graph: Graph) => verify(elideConcats(graph)).nodes.map(({ op }) => op)

describe('a concat', () => {
  it('goes where a norm and a convolution of single pixels read it', () => {
    const { nodes } = verify(elideConcats(graphOf([concat(), groupNorm, conv()])))
    expect(nodes).toEqual([
      {
        op: 'concatGroupNorm',
        dims: { n: 1, hw: 6, ca, cb, c },
        operands: { a: id('a'), b: id('b'), gamma: id('gamma'), beta: id('beta'), y: id('norm') },
        params: groupNorm.params,
      },
      {
        op: 'concatLinear',
        dims: { m: 6, n: o, ca, cb, k: c },
        operands: { a: id('a'), b: id('b'), w: id('weight'), bias: id('bias'), y: id('shortcut') },
        params: {},
      },
    ])
  })

  it.each([
    ['a convolution of several pixels', conv(3)],
    ['one with an activation', conv(1, { params: { activation: 'silu' } })],
    ['one by an algorithm of the CPU', conv(1, { params: { algorithm: 'contraction' } })],
    ['one with a bias of rows', conv(1, { operands: { rowBias: id('rest') } })],
  ])('stays where %s reads it too', (_, reader) => {
    expect(opsOf(graphOf([concat(), groupNorm, reader]))).toEqual(['concat', 'groupNorm', 'conv2d'])
  })

  it('stays where it is wanted itself', () => {
    const graph = graphOf([concat(), groupNorm, conv()], [id('both'), id('norm'), id('shortcut')])
    expect(opsOf(graph)).toEqual(['concat', 'groupNorm', 'conv2d'])
  })

  it('stays where values end within a step along the depth', () => {
    expect(opsOf(graphOf([concat(40), groupNorm, conv()], undefined, 40))).toEqual([
      'concat',
      'groupNorm',
      'conv2d',
    ])
  })
})
