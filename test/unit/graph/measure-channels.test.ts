// Which convolutions take the statistics of what is normalised behind them.

import { describe, expect, it } from 'vitest'
import { chooseConvolutions } from '../../../lib/graph/choose-convolution.ts'
import { fuse } from '../../../lib/graph/fuse.ts'
import type { Graph } from '../../../lib/graph/graph.ts'
import { interpret } from '../../../lib/graph/interpret.ts'
import { measureChannels } from '../../../lib/graph/measure-channels.ts'
import { normalizeOnLoad } from '../../../lib/graph/normalize-on-load.ts'
import { verify } from '../../../lib/graph/verify.ts'
import { add, conv2d, groupNorm, silu } from '../../../lib/tensor/functional.ts'
import { Trace } from '../../../lib/tensor/trace.ts'

const [side, channels] = [12, 64]

/** Convolutions one behind the other, a norm between each two; the second is one of single pixels where it is asked for. */
function chain({ pointwise = false, twoNorms = false } = {}): Graph {
  const trace = new Trace()
  const x = trace.input('x', 'f32', [2, side, side, channels])
  const convolve = (of: typeof x, name: string, k = 3) =>
    conv2d(of, trace.weight(name, [channels, channels, k, k]), undefined, { padding: k === 3 ? 1 : 0 })
  const normalize = (of: typeof x, name: string) => {
    const [gamma, beta] = [
      trace.weight(`${name} gamma`, [channels]),
      trace.weight(`${name} beta`, [channels]),
    ]
    return silu(groupNorm(of, { gamma, beta, groups: 16, eps: 1e-5 }))
  }
  const first = convolve(normalize(x, 'norm a'), 'a')
  const second = convolve(normalize(first, 'norm b'), 'b', pointwise ? 1 : 3)
  const third = convolve(normalize(second, 'norm c'), 'c')
  trace.output('y', twoNorms ? add(third, convolve(normalize(second, 'norm d'), 'd')) : third)
  return normalizeOnLoad(chooseConvolutions(fuse(trace.graph())))
}

const count = (graph: Graph, op: string, operand: string) =>
  graph.nodes.filter((node) => node.op === op && node.operands[operand] !== undefined).length

function run(graph: Graph) {
  const numbers = (length: number, seed: number) =>
    Float32Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed))
  return interpret(graph, {
    inputs: { x: numbers(2 * side * side * channels, 1) },
    weight: (name) => numbers(name.includes(' ') ? channels : channels * channels * 9, name.length),
  }).y!
}

describe('measureChannels', () => {
  it('lets the maker of a map measure it, and reads the map no more for that', () => {
    const before = chain()
    const after = verify(measureChannels(before), before)
    expect(count(after, 'groupFactors', 'x')).toBe(1)
    expect(count(after, 'groupFactors', 'channelMean')).toBe(2)
    expect(count(after, 'conv2d', 'channelVariance')).toBe(2)
  })

  it('changes results by rounding alone', () => {
    const [measured, plain] = [run(measureChannels(chain())), run(chain())]
    const difference = Math.hypot(...measured.map((y, i) => y - plain[i]!))
    expect(difference / Math.hypot(...plain)).toBeLessThan(1e-12)
  })

  it('measures once for all that read', () => {
    const before = chain({ twoNorms: true })
    const after = verify(measureChannels(before), before)
    expect(count(after, 'groupFactors', 'channelMean')).toBe(3)
    expect(count(after, 'conv2d', 'channelMean')).toBe(2)
  })

  it("leaves alone what is not made by Winograd's algorithm", () => {
    const before = chain({ pointwise: true })
    expect(count(before, 'groupFactors', 'x')).toBe(2)
    expect(measureChannels(before)).toEqual(before)
  })
})
