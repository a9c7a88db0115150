// Passes on graphs: each optimisation against off, and the memory plan against its one rule.

import { describe, expect, it } from 'vitest'
import { contractInPlace } from '../../../lib/graph/contract-in-place.ts'
import { fuse } from '../../../lib/graph/fuse.ts'
import type { Graph } from '../../../lib/graph/graph.ts'
import { interpret } from '../../../lib/graph/interpret.ts'
import { opOf } from '../../../lib/graph/ops.ts'
import { bytesOf, planMemory } from '../../../lib/graph/plan-memory.ts'
import { print } from '../../../lib/graph/print.ts'
import { operandsOf, writesOf } from '../../../lib/graph/uses.ts'
import { verify } from '../../../lib/graph/verify.ts'
import { readModelConfigs } from '../../../lib/models/configs.ts'
import { stepGraph, textGraph } from '../../../lib/pipelines/stages.ts'
import { add, addRowBias, conv2d, groupNorm, linear, silu, upsample } from '../../../lib/tensor/functional.ts'
import { Trace } from '../../../lib/tensor/trace.ts'
import { openGolden } from '../../golden/pipelines.ts'
import { largeBlock } from './large-block.ts'

/** A residual block with everything that fuses. */
function block(): Graph {
  const trace = new Trace()
  const x = trace.input('x', 'f32', [2, 4, 4, 8])
  const time = trace.input('time', 'f32', [1, 8])
  const gamma = trace.weight('gamma', [8])
  const beta = trace.weight('beta', [8])
  const big = upsample(x, 8, 8)
  const a = conv2d(big, trace.weight('a', [8, 8, 3, 3]), trace.weight('a.bias', [8]), { padding: 1 })
  const normed = silu(groupNorm(a, { gamma, beta, groups: 4, eps: 1e-5 }))
  const h = addRowBias(conv2d(normed, trace.weight('b', [8, 8, 3, 3]), undefined, { padding: 1 }), time)
  const out = add(a, linear(h, trace.weight('c', [8, 8])))
  trace.output('y', out)
  return trace.graph()
}

/** Deterministic values of about unit size. */
const numbers = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 1.5)

function run(graph: Graph) {
  const lengths: Record<string, number> = { gamma: 8, beta: 8, a: 576, 'a.bias': 8, b: 576, c: 64 }
  return interpret(graph, {
    inputs: { x: numbers(256, 1), time: numbers(8, 2) },
    weight: (name) => numbers(lengths[name]!, name.length),
  }).y!
}

describe('fuse', () => {
  it('merges what can be merged and prints it', () => {
    expect(print(block())).toMatchSnapshot('traced')
    expect(print(fuse(block()))).toMatchSnapshot('fused')
  })

  it('changes no result', () => {
    expect(run(verify(fuse(block())))).toEqual(run(verify(block())))
  })

  it('leaves alone what somebody else reads', () => {
    const trace = new Trace()
    const x = trace.input('x', 'f32', [1, 4])
    const y = linear(x, trace.weight('w', [4, 4]))
    trace.output('activated', silu(y))
    trace.output('plain', y)
    expect(fuse(trace.graph()).nodes.map((node) => node.op)).toEqual(['linear', 'activation'])
  })
})

/** Pairs of values that live at the same time in the same bytes, other than by an op that works in place. */
function overlaps(graph: Graph, reuse: boolean): string[] {
  const { offsets, arenaBytes } = planMemory(graph, { reuse })
  const life = new Map<number, { first: number; last: number }>()
  graph.nodes.forEach((node, i) => {
    for (const { value } of operandsOf(node)) {
      if (!offsets.has(value)) continue
      life.set(value, { first: life.get(value)?.first ?? i, last: i })
    }
  })
  const found: string[] = []
  const values = [...life.keys()]
  for (const a of values) {
    if (offsets.get(a)! + bytesOf(graph, a) > arenaBytes || offsets.get(a)! % 64 !== 0)
      found.push(`${a} outside`)
    for (const b of values) {
      if (a >= b) continue
      const [la, lb] = [life.get(a)!, life.get(b)!]
      const together = la.first < lb.last && lb.first < la.last
      // Where one ends the other may begin only if the op there allows it.
      const handover =
        la.last === lb.first ? [a, b, la.last] : lb.last === la.first ? [b, a, lb.last] : undefined
      const space =
        offsets.get(a)! < offsets.get(b)! + bytesOf(graph, b) &&
        offsets.get(b)! < offsets.get(a)! + bytesOf(graph, a)
      if (!space) continue
      if (together) found.push(`${a} and ${b}`)
      if (handover) {
        const [from, to, at] = handover as [number, number, number]
        const node = graph.nodes[at]!
        const write = writesOf(node).find((o) => o.value === to)
        const reads = operandsOf(node).filter((o) => o.value === from)
        const name = reads[0]?.name ?? ''
        const overwritten = opOf(node.op).overwrites?.(node.params) === name
        const allowed = reads.length === 1 && (overwritten || write?.spec.inPlaceOf.includes(name))
        if (!allowed || offsets.get(from) !== offsets.get(to)) found.push(`${from} under ${to}`)
      }
    }
  }
  return found
}

describe('plan memory', () => {
  it.each([true, false])('lets no two living values overlap (reuse %s)', async (reuse) => {
    const configs = await readModelConfigs(openGolden('sd1').folder)
    const step = {
      ...{ n: 1, h: 16, w: 16, guided: true, stochastic: true, historyLength: 1, wantClean: true },
      threshold: { percentile: 0.995, max: 1 },
    }
    expect(overlaps(fuse(stepGraph(configs, step)), reuse)).toEqual([])
    expect(overlaps(textGraph(configs, 2), reuse)).toEqual([])
    expect(overlaps(contractInPlace(largeBlock()), reuse)).toEqual([])
  })

  it('uses memory again', async () => {
    const configs = await readModelConfigs(openGolden('sd1').folder)
    const graph = fuse(textGraph(configs, 2))
    const own = planMemory(graph, { reuse: false }).arenaBytes
    expect(planMemory(graph).arenaBytes).toBeLessThan(own / 2)
  })
})
