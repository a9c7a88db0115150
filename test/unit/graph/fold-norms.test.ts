// Norms in front of linear layers: which go into them, which stay, and that the results are those of both alone.

import { describe, expect, it } from 'vitest'
import { foldNorms } from '../../../lib/graph/fold-norms.ts'
import { fuse } from '../../../lib/graph/fuse.ts'
import type { Graph } from '../../../lib/graph/graph.ts'
import { interpret } from '../../../lib/graph/interpret.ts'
import { joinLayers } from '../../../lib/graph/join-layers.ts'
import { verify } from '../../../lib/graph/verify.ts'
import { noise } from '../../../lib/selftest/op-case.ts'
import { add, attention, geglu, layerNorm, linear, silu } from '../../../lib/tensor/functional.ts'
import { type Tensor, Trace } from '../../../lib/tensor/trace.ts'

const c = 32

/** What is made of x and its norm, with a weight of each name. */
function graphOf(
  make: (x: Tensor, normed: Tensor, w: (name: string, rows?: number) => Tensor) => Tensor,
): Graph {
  const trace = new Trace()
  const x = trace.input('x', 'f32', [1, 3, c])
  const [gamma, beta] = [trace.weight('gamma', [c]), trace.weight('beta', [c])]
  const normed = layerNorm(x, { gamma, beta, eps: 1e-3 })
  trace.output(
    'y',
    make(x, normed, (name, rows = c) => trace.weight(name, [rows, c])),
  )
  return fuse(verify(trace.graph()))
}

const run = (graph: Graph) =>
  interpret(graph, {
    inputs: { x: noise(3 * c, 1).map((value) => value + 2) },
    weight: (name) => noise((name === 'wide' ? 2 * c : 1) * c * c, name.length),
  }).y!
const opsOf = ({ nodes }: Graph) => nodes.map(({ op }) => op)

describe('a norm goes into', () => {
  it.each<[string, Graph, readonly string[]]>([
    ['a layer', graphOf((_, normed, w) => linear(normed, w('w'))), ['projections']],
    ['a layer and its activation', graphOf((_, normed, w) => silu(linear(normed, w('w')))), ['projections']],
    [
      'layers of the same rows',
      graphOf((_, normed, w) => {
        const [q, k, v] = ['q', 'kk', 'vvv'].map((name) => linear(normed, w(name)))
        return attention(q!, silu(k!), v!, { heads: 2 })
      }),
      ['projections', 'projections', 'projections', 'attention'],
    ],
    ['a gated layer', graphOf((_, normed, w) => geglu(linear(normed, w('wide', 2 * c)))), ['linearGeglu']],
  ])('%s', (_, graph, ops) => {
    const folded = verify(foldNorms(graph))
    expect(opsOf(folded)).toEqual(ops)
    expect(folded.nodes[0]!.params.eps).toBe(1e-3)
    expect([...run(folded)]).toEqual([...run(graph)])
  })

  it('layers that share an op', () => {
    const graph = graphOf((_, normed, w) => {
      const [q, k, v] = ['q', 'kk', 'vvv'].map((name) => linear(normed, w(name)))
      return attention(q!, k!, v!, { heads: 2 })
    })
    const folded = verify(foldNorms(verify(joinLayers(graph))))
    expect(opsOf(folded)).toEqual(['projections', 'attention'])
    expect(Object.keys(folded.nodes[0]!.operands)).toEqual(
      expect.arrayContaining(['gamma', 'beta', 'w2', 'y2']),
    )
    expect([...run(folded)]).toEqual([...run(graph)])
  })
})

describe('a norm stays', () => {
  it.each<[string, Graph]>([
    ['where something else reads it', graphOf((_, normed, w) => add(silu(linear(normed, w('w'))), normed))],
    ['where it is what is wanted', graphOf((_, normed) => normed)],
    ['in front of a layer with a residual', graphOf((x, normed, w) => add(linear(normed, w('w')), x))],
  ])('%s', (_, graph) => {
    expect(foldNorms(graph).nodes).toEqual(graph.nodes)
  })

  it('in front of a layer of other rows', () => {
    const trace = new Trace()
    const x = trace.input('x', 'f32', [4, c])
    const [gamma, beta] = [trace.weight('gamma', [c]), trace.weight('beta', [c])]
    const normed = layerNorm(x, { gamma, beta, eps: 1e-3 })
    trace.output('y', linear(normed.reshape(2, 2 * c), trace.weight('w', [c, 2 * c])))
    const graph = verify(trace.graph())
    expect(foldNorms(graph).nodes).toEqual(graph.nodes)
  })
})
