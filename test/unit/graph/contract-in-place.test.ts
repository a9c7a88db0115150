// Which shortcuts take the memory of their input.

import { describe, expect, it } from 'vitest'
import { chooseConvolutions } from '../../../lib/graph/choose-convolution.ts'
import { contractInPlace } from '../../../lib/graph/contract-in-place.ts'
import { fuse } from '../../../lib/graph/fuse.ts'
import type { Graph } from '../../../lib/graph/graph.ts'
import { opOf } from '../../../lib/graph/ops.ts'
import { bytesOf, planMemory } from '../../../lib/graph/plan-memory.ts'
import { verify } from '../../../lib/graph/verify.ts'
import { conv } from '../../../lib/selftest/cases/conv2d.ts'
import { add, conv2d, silu } from '../../../lib/tensor/functional.ts'
import { Scope } from '../../../lib/tensor/scope.ts'
import { type Tensor, Trace } from '../../../lib/tensor/trace.ts'
import { largeBlock } from './large-block.ts'

const contractions = (graph: Graph) =>
  contractInPlace(graph).nodes.filter(({ params }) => params.algorithm === 'contraction')

const shortcutOf = ({ nodes }: Graph) => nodes.find(({ dims }) => dims.kh === 1)!

const withBranchGiven = (graph: Graph): Graph => ({
  ...graph,
  outputs: [...graph.outputs, { name: 'branch', value: shortcutOf(graph).operands.residual! }],
})

function withActivation(graph: Graph): Graph {
  const shortcut = shortcutOf(graph)
  const activated = { ...shortcut, params: { ...shortcut.params, activation: 'silu' } }
  return { ...graph, nodes: graph.nodes.map((node) => (node === shortcut ? activated : node)) }
}

describe('contractInPlace', () => {
  it('puts a shortcut where its input was, which spares a map', () => {
    const graph = largeBlock()
    const contracted = contractInPlace(graph)
    const { offsets, arenaBytes } = planMemory(contracted)
    const [shortcut] = contracted.nodes.filter(({ params }) => params.algorithm === 'contraction')
    const { x, y } = shortcut!.operands
    expect(offsets.get(y!)).toBe(offsets.get(x!))
    const spared = planMemory(graph).arenaBytes - arenaBytes
    expect(spared).toBeGreaterThan(0.99 * bytesOf(graph, y!))
  })

  it('lets the branches of a block change places, so that the input is needed no longer when the other one is computed', () => {
    const [before, after] = [largeBlock(), contractInPlace(largeBlock())]
    const convolutions = (graph: Graph) =>
      graph.nodes.filter(({ op }) => op === 'conv2d').map(({ dims }) => `${dims.kh}x${dims.kw}`)
    expect(convolutions(before)).toEqual(['3x3', '3x3', '1x1'])
    expect(convolutions(after)).toEqual(['3x3', '1x1', '3x3'])
    expect(after.outputs).toEqual(before.outputs)
    expect(verify(after, before)).toBe(after)
  })

  it('leaves no branch in front of what it reads', () => {
    const trace = new Trace()
    const scope = new Scope(trace)
    const a = trace.input('a', 'f32', [1, 300, 300, 256])
    const layer = (x: Tensor, name: string, out: number, size: number) =>
      conv2d(x, scope.weight(name, out, x.shape.at(-1)!, size, size), undefined, { padding: (size - 1) / 2 })
    const other = layer(a, 'other', 128, 3)
    const x = layer(a, 'x', 256, 3)
    const behind = layer(layer(a, 'p', 256, 3), 'q', 256, 3)
    trace.output('y', silu(add(layer(x, 'y', 128, 1), other)))
    trace.output('q', silu(behind))
    const graph = chooseConvolutions(fuse(trace.graph()))
    expect(() => verify(contractInPlace(graph), graph)).not.toThrow()
  })

  it('gives the second convolution the memory of the shortcut', () => {
    const graph = contractInPlace(largeBlock())
    const { offsets } = planMemory(graph)
    const second = graph.nodes.find(({ op, operands }) => op === 'conv2d' && operands.residual !== undefined)!
    expect(offsets.get(second.operands.y!)).toBe(offsets.get(second.operands.residual!))
  })

  it.each([
    ['a map of less than 64 MB', largeBlock({ side: 500 })],
    ['more than half as many channels', largeBlock({ out: 36 })],
    ['an input that is an output of the graph', largeBlock({ input: 'given' })],
    ['an input that is read later', largeBlock({ input: 'read' })],
    ['a shortcut whose other branch is an output too', withBranchGiven(largeBlock())],
    ['a shortcut behind an activation', withActivation(largeBlock())],
  ])('leaves alone %s', (_, graph) => {
    expect(contractions(graph)).toEqual([])
  })

  it('leaves alone a graph that would take more memory', () => {
    // The result keeps the memory of 64 channels until it is enlarged.
    expect(contractions(largeBlock({ enlarged: true }))).toEqual([])
  })
})

describe('the op', () => {
  const check = (options: Partial<Parameters<typeof conv>[0]>) => {
    const { dims, params } = conv({
      h: 8,
      w: 8,
      c: 8,
      o: 4,
      k: 1,
      rows: 1,
      algorithm: 'contraction',
      ...options,
    })
    return opOf('conv2d').check!({ ...dims, ...params } as never)
  }

  it('is for single pixels and at most half as many channels', () => {
    expect(check({})).toBeUndefined()
    expect(check({ k: 3, pad: 1 })).toMatch(/single pixels/)
    expect(check({ stride: 2 })).toMatch(/keeps the size/)
    expect(check({ upsample: 2 })).toMatch(/keeps the size/)
    expect(check({ o: 5 })).toMatch(/at most half as many, not 5/)
    expect(check({ n: 2, rows: 2 })).toMatch(/same rowBias/)
  })
})
