// Strips of one picture that are normalised alike: statistics are measured apart, and every strip is computed with
// those of the whole picture. What is left is convolutions, whose results depend on nothing but their surroundings.

import { TintypeError } from '../errors.ts'
import { fuse } from './fuse.ts'
import type { Graph, Node, ValueId } from './graph.ts'
import { normalizeOnLoad } from './normalize-on-load.ts'
import { readsOf, writesOf } from './uses.ts'

export interface SharedNorms {
  /** How many norms there are. */
  readonly count: number
  /** Gives `norm I mean`, `norm I factor` and `norm I shift` of one norm; takes those of the norms before it. */
  readonly measure: (index: number) => Graph
  /** Takes those of all norms as inputs. */
  readonly apply: Graph
  /** Gives those of all norms for `probe C` (2, C), one input for each number of channels: what they are made of. */
  readonly probe: Graph
}

/** Only Winograd's algorithm takes a normalisation from outside (see the `conv2d` entry of the op table). */
const takesNorms = (node: Node): Node =>
  node.op === 'conv2d' && node.dims.kh === 3 && node.dims.kw === 3 && node.params.stride === 1
    ? { ...node, params: { ...node.params, algorithm: 'winograd' } }
    : node

/** What `outputs` depend on. */
function needed(graph: Graph, outputs: Graph['outputs']): Graph {
  const wanted = new Set(outputs.map(({ value }) => value))
  const nodes = graph.nodes.toReversed().filter((node) => {
    const needed = writesOf(node).some(({ value }) => wanted.has(value))
    if (needed) for (const { value } of readsOf(node)) wanted.add(value)
    return needed
  })
  return {
    ...graph,
    nodes: nodes.reverse(),
    inputs: graph.inputs.filter((id) => wanted.has(id)),
    outputs,
  }
}

/** Every norm by itself, over an input of two pixels. */
function probeOf(graph: Graph, outputs: Graph['outputs']): Graph {
  const values = [...graph.values]
  const inputs = new Map<number, ValueId>()
  const nodes = graph.nodes.flatMap((node): Node[] => {
    if (node.op !== 'groupFactors') return []
    const c = node.dims.c!
    const value = { kind: 'input', name: `probe ${c}`, dtype: 'f32', shape: [2, c] } as const
    if (!inputs.has(c)) inputs.set(c, values.push(value) - 1)
    return [{ ...node, dims: { n: 1, hw: 2, c }, operands: { ...node.operands, x: inputs.get(c)! } }]
  })
  return { values, nodes, inputs: [...inputs.values()], outputs }
}

/** Splits a traced graph in which each `groupNorm` stands in front of a 3x3 convolution. */
export function shareNorms(traced: Graph): SharedNorms {
  const fused = fuse(traced)
  const graph = normalizeOnLoad({ ...fused, nodes: fused.nodes.map(takesNorms) })
  if (graph.nodes.some((node) => node.op === 'groupNorm')) {
    throw new TintypeError('INTERNAL', 'A normalisation in front of something else than a 3x3 convolution.')
  }
  const norms = graph.nodes.filter((node) => node.op === 'groupFactors')
  const factors = norms.map((node, i) =>
    writesOf(node).map(({ name, value }) => ({ name: `norm ${i} ${name}`, value })),
  )

  const given = new Map<ValueId, ValueId>()
  const values = [...graph.values]
  for (const { name, value } of factors.flat()) {
    given.set(value, values.push({ ...values[value]!, kind: 'input', name }) - 1)
  }
  const nodes = graph.nodes.map((node) => {
    const operands = readsOf(node).map(({ name, value }) => [name, given.get(value) ?? value])
    return { ...node, operands: { ...node.operands, ...Object.fromEntries(operands) } }
  })
  const applied = { values, nodes, inputs: [...graph.inputs, ...given.values()], outputs: graph.outputs }
  return {
    count: norms.length,
    measure: (index) => needed(applied, factors[index]!),
    apply: needed(applied, graph.outputs),
    probe: probeOf(graph, factors.flat()),
  }
}
