// Convolutions whose taps are summed: those of enlarged pictures, as the kernels of a GPU have them.

import { describe, expect, it } from 'vitest'
import type { Graph, Node, Value } from '../../../lib/graph/graph.ts'
import { makePlan } from '../../../lib/graph/plan.ts'
import { sumTaps } from '../../../lib/graph/sum-taps.ts'
import { verify } from '../../../lib/graph/verify.ts'
import { conv2d, silu, upsample } from '../../../lib/tensor/functional.ts'
import { Trace } from '../../../lib/tensor/trace.ts'

const [n, h, w, c, o] = [2, 3, 4, 16, 5]
const noBorder = { padTop: 0, padLeft: 0, padBottom: 0, padRight: 0 }

interface Change {
  readonly dims?: Readonly<Record<string, number>>
  readonly params?: Readonly<Record<string, number | string>>
  /** Optional operands beside the bias. */
  readonly given?: readonly string[]
}

/** A graph of one convolution, of an enlarged picture but for what is said of it. */
function graphOf({ dims = {}, params = {}, given = [] }: Change = {}): Graph {
  const all = { n, h, w, c, ho: 2 * h, wo: 2 * w, o, kh: 3, kw: 3, rows: n, ...dims }
  const pixels = [all.n, all.ho, all.wo, all.o]
  const shapes: Readonly<Record<string, readonly number[]>> = {
    ...{ x: [all.n, all.h, all.w, all.c], weight: [all.o, all.c, all.kh, all.kw], bias: [all.o], y: pixels },
    ...{ rowBias: [all.rows, all.o], residual: pixels },
    ...{ mean: [all.n, all.c], factor: [all.n, all.c], shift: [all.n, all.c] },
  }
  const names = ['x', 'weight', 'bias', 'y', ...given]
  const values = names.map((name): Value => {
    const kind = name === 'y' ? 'computed' : ['weight', 'bias'].includes(name) ? 'weight' : 'input'
    return { kind, name, dtype: 'f32', shape: shapes[name]! }
  })
  const node: Node = {
    ...{ op: 'conv2d', dims: all, operands: Object.fromEntries(names.map((name, i) => [name, i])) },
    params: {
      ...{ stride: 1, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1, upsample: 2 },
      ...{ activation: 'silu', inputActivation: 'none', algorithm: 'direct', ...params },
    },
  }
  return verify({
    ...{ values, nodes: [node], outputs: [{ name: 'y', value: 3 }] },
    inputs: values.flatMap(({ kind }, i) => (kind === 'input' ? [i] : [])),
  })
}

describe('taps', () => {
  it('are summed where a picture is enlarged', () => {
    const { nodes } = verify(sumTaps(graphOf()))
    expect(nodes).toEqual([
      {
        op: 'upsampleConv2d',
        dims: { n, h, w, c, ho: 2 * h, wo: 2 * w, o, kh: 3, kw: 3 },
        operands: { x: 0, weight: 1, bias: 2, y: 3 },
        params: { activation: 'silu' },
      },
    ])
  })

  it.each([
    ['of a picture as it is', { dims: { ho: h, wo: w }, params: { upsample: 1 } }],
    ['that skips pixels', { dims: { ho: h, wo: w }, params: { stride: 2 } }],
    ['of 1x3', { dims: { kh: 1, ho: 2 * h + 2 } }],
    ['of 3x1', { dims: { kw: 1, wo: 2 * w + 2 } }],
    ['with a border on two sides', { params: { padTop: 2, padBottom: 0, padLeft: 2, padRight: 0 } }],
    ['without a border', { dims: { ho: 2 * h - 2, wo: 2 * w - 2 }, params: noBorder }],
    ['whose channels are no whole vectors', { dims: { c: 12 } }],
    ['by an algorithm of the CPU', { params: { algorithm: 'winograd4' } }],
    ['with a bias of rows', { given: ['rowBias'] }],
    ['with a residual', { given: ['residual'] }],
  ])('stay apart in a convolution %s', (_, change) => {
    const graph = graphOf(change)
    expect(sumTaps(graph)).toEqual(graph)
  })

  it('are summed where the enlarged picture would be an op of its own, after fusion', () => {
    const trace = new Trace()
    const x = trace.input('x', 'f32', [1, h, w, c])
    const weight = trace.weight('weight', [o, c, 3, 3])
    trace.output('y', silu(conv2d(upsample(x, 2 * h, 2 * w), weight, undefined, { padding: 1 })))
    const opsOf = (options: object) =>
      makePlan(trace.graph(), () => 0, { winograd: false, ...options }).graph.nodes.map(({ op }) => op)
    expect(opsOf({ sumTaps: true })).toEqual(['upsampleConv2d'])
    expect(opsOf({})).toEqual(['conv2d'])
  })
})
