import { describe, expect, it } from 'vitest'
import type { Graph } from '../../../lib/graph/graph.ts'
import { interpret } from '../../../lib/graph/interpret.ts'
import { reachOf } from '../../../lib/graph/reach.ts'
import { shareNorms } from '../../../lib/graph/share-norms.ts'
import type { Numbers } from '../../../lib/graph/spec.ts'
import { verify } from '../../../lib/graph/verify.ts'
import type { VaeConfig } from '../../../lib/models/configs.ts'
import { vaeDecoderTail, vaeEncoderHead } from '../../../lib/models/vae.ts'
import { decoderFeatures, encoderFeatures } from '../../../lib/models/vae-features.ts'
import { groupNorm } from '../../../lib/tensor/functional.ts'
import { Scope } from '../../../lib/tensor/scope.ts'
import { type Tensor, Trace } from '../../../lib/tensor/trace.ts'

const config: VaeConfig = {
  ...{
    latentChannels: 1,
    channels: [2, 2, 4],
    layersPerBlock: 1,
    normGroups: 1,
    factor: 4,
    scalingFactor: 1,
  },
  ...{ midAttention: false, quantConv: false, postQuantConv: false },
}

const trace = (shape: readonly number[], body: (scope: Scope, x: Tensor) => Tensor): Graph => {
  const traced = new Trace()
  traced.output('y', body(new Scope(traced), traced.input('x', 'f32', shape)))
  return traced.graph()
}

const numbers = (length: number, seed: number) =>
  Float64Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed))

const run = (graph: Graph, inputs: Readonly<Record<string, Numbers>>) => {
  const size = new Map(graph.values.map(({ name, shape }) => [name, shape.reduce((a, b) => a * b, 1)]))
  return interpret(verify(graph), { inputs, weight: (name) => numbers(size.get(name)!, name.length) })
}

/** Both parts of the autoencoder that come in strips, cut at each level; `width` is of the input. */
const stages = [0, 1].flatMap((cut) => {
  const decoder = decoderFeatures(config, cut)
  const encoder = encoderFeatures(config, cut)
  return [
    {
      name: `the decoder after level ${cut}`,
      inputRow: 3 * decoder.channels,
      graph: (rows: number) =>
        trace([1, rows, 3, decoder.channels], (scope, x) => vaeDecoderTail(scope, x, config, cut)),
    },
    {
      name: `the encoder to level ${cut}`,
      inputRow: encoder.scale * 8 * 3,
      graph: (rows: number) =>
        trace([1, rows * encoder.scale, 8, 3], (scope, x) => vaeEncoderHead(scope, x, config, cut)),
    },
  ]
})

describe.each(stages)('shareNorms for $name', ({ graph, inputRow }) => {
  const { section, stops } = shareNorms(graph(10))
  const end = stops.length - 1
  const reach = reachOf(section(0, end), 10)
  const height = 4 * reach + 6
  const x = numbers(height * inputRow, 1)
  const shared = shareNorms(graph(height))
  const whole = run(graph(height), { x }).y!
  const largest = Math.max(...whole.map(Math.abs))
  const error = (a: Numbers, b: Numbers) => Math.max(...a.map((v, i) => Math.abs(v - b[i]!))) / largest

  /** From stop to stop, each norm measured from the stop before it. */
  const through = (...kept: number[]) => {
    let norms: Record<string, Numbers> = {}
    let maps: Record<string, Numbers> = { x }
    for (const [i, to] of [...kept, end].entries()) {
      const from = kept[i - 1] ?? 0
      for (let stop = Math.max(from, 1); stop < to; stop++) {
        norms = { ...norms, ...run(shared.measure(from, stop), { ...maps, ...norms }) }
      }
      const known = { ...maps, ...run(shared.section(from, to), { ...maps, ...norms }) }
      const names = shared.stops[to]!.map(shared.nameOf)
      maps = Object.fromEntries(names.map((name) => [name, known[name]!]))
    }
    return { norms, y: maps.y! }
  }
  const { norms, y } = through()

  it.each([
    ['one section', []],
    ['a section from norm to norm', Array.from({ length: end - 1 }, (_, i) => i + 1)],
    ['a section of two norms each', Array.from({ length: Math.ceil(end / 2) - 1 }, (_, i) => 2 * i + 2)],
  ])('gives in %s what the graph gives', (_, kept) => {
    expect(error(through(...kept).y, whole)).toBeLessThan(1e-12)
    expect(error(y, whole)).toBeLessThan(1e-12)
  })

  it('takes for a norm no more than what stands before it', () => {
    const takes = (stop: number) => {
      const { inputs, values } = shared.measure(0, stop)
      return inputs.map((id) => values[id]!.name)
    }
    expect(takes(1)).toEqual(['x'])
    expect(takes(end - 1)).not.toContain(`norm ${end - 1} mean`)
    expect(shared.measure(0, 1).nodes.length).toBeLessThan(shared.measure(0, end - 1).nodes.length)
    // From maps that are kept there is nothing left to compute.
    expect(shared.measure(2, 2).nodes.map(({ op }) => op)).toEqual(['groupFactors'])
  })

  it('tells gamma and beta', () => {
    const inputs = [2, 4].map((c) => [`probe ${c}`, numbers(2 * c, 0).map((_, i) => (i < c ? 1e4 : -1e4))])
    const factors = run(shared.probe, Object.fromEntries(inputs))
    for (const [name, value] of Object.entries(factors)) {
      const [, index, part] = name.split(' ')
      if (part === 'mean') expect(value.every((mean) => mean === 0)).toBe(true)
      if (part === 'shift') expect(value).toEqual(norms[`norm ${index} shift`])
      if (part === 'factor') expect(Math.sign(value[0]!)).toBe(Math.sign(norms[name]![0]!))
    }
  })

  it('gives the same in a strip, as far from its edges as the reach says and no nearer', () => {
    const start = 3
    const rows = height - 6
    const strip = shareNorms(graph(rows)).section(0, end)
    const part = run(strip, { x: x.subarray(start * inputRow, (start + rows) * inputRow), ...norms }).y!
    const row = whole.length / height
    const differences = Array.from({ length: rows }, (_, i) =>
      error(part.slice(i * row, (i + 1) * row), whole.slice((start + i) * row, (start + i + 1) * row)),
    )
    const wrong = differences.flatMap((difference, i) => (difference > 1e-12 ? [i] : []))
    expect(Math.min(...wrong)).toBe(0)
    expect(Math.max(...wrong)).toBe(rows - 1)
    const inside = wrong.filter((i) => i >= reach && i < rows - reach)
    expect(inside).toEqual([])
    // One side may see less far than the other.
    expect(wrong.includes(reach - 1) || wrong.includes(rows - reach)).toBe(true)
  })
})

describe('shareNorms', () => {
  it('refuses a norm that no convolution takes', () => {
    const lonely = trace([1, 2, 2, 4], (scope, x) =>
      groupNorm(x, {
        gamma: scope.weight('gamma', 4),
        beta: scope.weight('beta', 4),
        eps: 1e-6,
        groups: 2,
      }),
    )
    expect(() => shareNorms(lonely)).toThrow('in front of something else')
  })
})
