import { describe, expect, it } from 'vitest'
import type { Graph } from '../../../lib/graph/graph.ts'
import { shareNorms } from '../../../lib/graph/share-norms.ts'
import { resnetBlock } from '../../../lib/models/resnet.ts'
import { Scope } from '../../../lib/tensor/scope.ts'
import { type Tensor, Trace } from '../../../lib/tensor/trace.ts'

const norm = { groups: 2, eps: 1e-6 }

const trace = (channels: number, body: (scope: Scope, x: Tensor) => Tensor): Graph => {
  const traced = new Trace()
  traced.output('y', body(new Scope(traced), traced.input('x', 'f32', [1, 8, 8, channels])))
  return traced.graph()
}

/** Channels of the maps at each stop. */
const channelsAtStops = (graph: Graph): number[][] => {
  const { stops, values } = shareNorms(graph)
  return stops.map((maps) => maps.map((map) => values[map]!.shape[3]!))
}

describe('maps at stops', () => {
  it('are what a residual block adds to, and what comes in front of its norms', () => {
    const block = trace(4, (scope, x) => resnetBlock(scope, x, { out: 4, norm }))
    expect(channelsAtStops(block)).toEqual([[4], [4], [4, 4], [4]])
  })

  it('are the shortcut and not what it is made of, where it is smaller', () => {
    const narrower = trace(8, (scope, x) => resnetBlock(scope, x, { out: 4, norm }))
    expect(channelsAtStops(narrower)).toEqual([[8], [8], [4, 4], [4]])
    const wider = trace(4, (scope, x) => resnetBlock(scope, x, { out: 8, norm }))
    expect(channelsAtStops(wider)).toEqual([[4], [4], [4, 8], [8]])
  })

  it('are one map between residual blocks', () => {
    const two = trace(4, (scope, x) =>
      scope.in('b', (b) =>
        resnetBlock(
          b,
          scope.in('a', (a) => resnetBlock(a, x, { out: 4, norm })),
          { out: 4, norm },
        ),
      ),
    )
    const { stops, nameOf } = shareNorms(two)
    expect(stops.map((maps) => maps.length)).toEqual([1, 1, 2, 1, 2, 1])
    // The input is a map until it has been added.
    expect(stops.slice(0, 3).map((maps) => nameOf(maps[0]!))).toEqual(['x', 'x', 'x'])
    expect(stops.at(-1)!.map(nameOf)).toEqual(['y'])
  })
})
