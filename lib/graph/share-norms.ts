// Tiles of one picture that are normalised alike: statistics are measured once, on a sample of the picture, and every
// tile is computed with them. What is left is convolutions, whose results depend on nothing but their surroundings.

import { TintypeError } from '../errors.ts'
import { fuse } from './fuse.ts'
import type { Graph, Node, ValueId } from './graph.ts'
import { normalizeOnLoad } from './normalize-on-load.ts'
import { readsOf, writesOf } from './uses.ts'

export interface SharedNorms {
  /** Gives `norm 0 mean`, `norm 0 factor`, `norm 0 shift`, `norm 1 mean`, ... instead of its outputs. */
  readonly measure: Graph
  /** Takes those as inputs. */
  readonly apply: Graph
  /** Takes them, and gives what they turn out to be where they are applied. */
  readonly refine: Graph
  /** The same outputs for `probe C` (2, C), one input for each number of channels: what the norms are made of. */
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
  const nameOf = new Map<ValueId, string>(
    norms.flatMap((node, i) => writesOf(node).map(({ name, value }) => [value, `norm ${i} ${name}`])),
  )
  const outputs = [...nameOf].map(([value, name]) => ({ name, value }))

  const given = new Map<ValueId, ValueId>()
  const values = [...graph.values]
  for (const [value, name] of nameOf) {
    given.set(value, values.push({ ...values[value]!, kind: 'input', name }) - 1)
  }
  const nodes = graph.nodes.map((node) => {
    const operands = readsOf(node).map(({ name, value }) => [name, given.get(value) ?? value])
    return { ...node, operands: { ...node.operands, ...Object.fromEntries(operands) } }
  })
  const applied = { values, nodes, inputs: [...graph.inputs, ...given.values()], outputs: graph.outputs }
  return {
    measure: needed(graph, outputs),
    apply: needed(applied, graph.outputs),
    refine: needed(applied, outputs),
    probe: probeOf(graph, outputs),
  }
}
