// Graphs that break the rules are told apart from those that don't.

import { describe, expect, it } from 'vitest'
import type { Graph, Node } from '../../../lib/graph/graph.ts'
import { verify } from '../../../lib/graph/verify.ts'
import { add, conv2d, linear, silu } from '../../../lib/tensor/functional.ts'
import { Scope } from '../../../lib/tensor/scope.ts'
import { Trace } from '../../../lib/tensor/trace.ts'

function graph(): Graph {
  const trace = new Trace()
  const x = trace.input('x', 'f32', [2, 4])
  trace.output(
    'y',
    new Scope(trace).in('layer', (s) => silu(linear(x, s.weight('w', 3, 4), s.weight('b', 3)))),
  )
  return trace.graph()
}

const withNode = (change: (node: Node) => Node): Graph => {
  const whole = graph()
  return { ...whole, nodes: whole.nodes.map((node, i) => (i === 0 ? change(node) : node)) }
}

describe('verify', () => {
  it('accepts what models trace', () => {
    expect(() => verify(graph())).not.toThrow()
  })

  it.each<[string, (node: Node) => Node, RegExp]>([
    [
      'a wrong size',
      (n) => ({ ...n, dims: { ...n.dims, m: 3 } }),
      /layer: linear expects x of \(m,k\) = \(3,4\), got \(2,4\)/,
    ],
    ['a missing dimension', (n) => ({ ...n, dims: { m: 2, n: 3 } }), /dimension k is undefined/],
    ['a missing operand', (n) => ({ ...n, operands: { x: 0, y: n.operands.y! } }), /needs operand w/],
    ['an operand too many', (n) => ({ ...n, operands: { ...n.operands, z: 0 } }), /has no operand z/],
    ['an input as weight', (n) => ({ ...n, operands: { ...n.operands, w: 0 } }), /linear/],
    ['an unknown value', (n) => ({ ...n, operands: { ...n.operands, x: 99 } }), /x is no value/],
    ['a wrong parameter', (n) => ({ ...n, params: { activation: 'tanh' } }), /parameter activation is tanh/],
    [
      'reading too early',
      (n) => ({ ...n, dims: { m: 2, n: 3, k: 3 }, operands: { ...n.operands, x: 4 } }),
      /expects w|before it is written/,
    ],
  ])('refuses %s', (_, change, message) => {
    expect(() => verify(withNode(change))).toThrow(message)
  })

  it('refuses an output that nobody writes', () => {
    expect(() => verify({ ...graph(), nodes: [] })).toThrow(/Output y is never written/)
  })

  it('finds what a pass broke: a node that it replaced, or a value under one that it left', () => {
    const before = verify(graph())
    const change = (node: Node) => ({ ...node, dims: { ...node.dims, m: 3 } })
    const replaced = { ...before, nodes: before.nodes.map(change) }
    expect(() => verify(replaced, before)).toThrow(/expects x of/)
    const values = before.values.map((value) => ({ ...value, dtype: 'u8' as const }))
    expect(() => verify({ ...before, values }, before)).toThrow(/x is u8/)
    expect(() => verify({ ...before, nodes: before.nodes.toReversed() }, before)).toThrow(
      /before it is written/,
    )
  })

  it('refuses a value written twice', () => {
    const whole = graph()
    expect(() => verify({ ...whole, nodes: [whole.nodes[0]!, whole.nodes[0]!, whole.nodes[1]!] })).toThrow(
      /twice/,
    )
  })
})

describe('tracing', () => {
  it('names the place where shapes do not fit', () => {
    const trace = new Trace()
    const scope = new Scope(trace)
    const x = trace.input('x', 'f32', [1, 8, 8, 4])
    const wrong = () =>
      scope.in('unet', (s) => s.in('conv_in', (c) => conv2d(x, c.weight('weight', 8, 3, 3, 3))))
    expect(wrong).toThrow('unet.conv_in: conv2d expects C=3, got 4.')
    expect(() => add(x, x.reshape(1, 64, 4))).toThrow(/add expects/)
    expect(() => x.reshape(5)).toThrow(/cannot see f32\[1, 8, 8, 4\] as \(5\)/)
    expect(() => conv2d(x, trace.weight('big', [1, 4, 9, 9]))).toThrow(/at least 9x9/)
  })

  it('gives the same weight for the same name', () => {
    const trace = new Trace()
    expect(trace.weight('w', [1])).toBe(trace.weight('w', [1]))
  })
})
