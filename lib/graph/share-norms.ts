// Strips of one picture that are normalised alike: statistics are measured apart, and every strip is computed with
// those of the whole picture. What is left is convolutions, whose results depend on nothing but their surroundings.

import { TintypeError } from '../errors.ts'
import { fuse } from './fuse.ts'
import type { Graph, Node, ValueId } from './graph.ts'
import { handedOver } from './handed-over.ts'
import { normalizeOnLoad } from './normalize-on-load.ts'
import { mapsAtStops } from './stops.ts'
import { readsOf, writesOf } from './uses.ts'

/**
 * A graph in sections, between *stops*: stop 0 is where it begins, stop i stands in front of its i-th norm, and the last one is
 * where it ends. A section begins with the maps that one stop has in memory and gives those that another has.
 */
export interface SharedNorms {
  readonly values: Graph['values']
  /** The maps that lie in memory at each stop, if it is made: inputs first, outputs last. */
  readonly stops: readonly (readonly ValueId[])[]
  /** What a map is called as input and output of sections. */
  readonly nameOf: (map: ValueId) => string
  /** Gives `norm I mean`, `norm I factor` and `norm I shift` of the norm at stop I; takes those of the norms from `from` on. */
  readonly measure: (from: number, stop: number) => Graph
  /** Gives the maps at `to` that are not there at `from`; takes the norms from `from` on and before `to`. */
  readonly section: (from: number, to: number) => Graph
  /** Gives all norms for `probe C` (2, C), one input for each number of channels: what they are made of. */
  readonly probe: Graph
}

/** Only Winograd's algorithm takes a normalisation from outside (see the `conv2d` entry of the op table). */
const takesNorms = (node: Node): Node =>
  node.op === 'conv2d' && node.dims.kh === 3 && node.dims.kw === 3 && node.params.stride === 1
    ? { ...node, params: { ...node.params, algorithm: 'winograd4' } }
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
  // A shortcut by itself can be computed before what it is added to.
  const fused = fuse(traced, { except: ['residual'] })
  const graph = normalizeOnLoad({ ...fused, nodes: fused.nodes.map(takesNorms) })
  if (graph.nodes.some((node) => node.op === 'groupNorm')) {
    throw new TintypeError('INTERNAL', 'A normalisation in front of something else than a 3x3 convolution.')
  }
  const factors = graph.nodes
    .filter((node) => node.op === 'groupFactors')
    .map((node, i) => writesOf(node).map(({ name, value }) => ({ name: `norm ${i + 1} ${name}`, value })))
  const stops = mapsAtStops(graph)
  const nameOf = (map: ValueId) => {
    const { kind, name } = graph.values[map]!
    const output = graph.outputs.find(({ value }) => value === map)
    return kind === 'input' ? name : (output?.name ?? handedOver(`map ${map}`))
  }

  const since = (from: number, outputs: Graph['outputs']): Graph => {
    const values = [...graph.values]
    const given = new Map<ValueId, ValueId>(graph.inputs.map((id) => [id, id]))
    const give = (name: string, id: ValueId) =>
      given.set(id, values.push({ ...values[id]!, kind: 'input', name }) - 1)
    for (const map of stops[from]!) if (!given.has(map)) give(nameOf(map), map)
    for (const { name, value } of factors.flat()) give(name, value)
    const nodes = graph.nodes.map((node) => {
      const operands = readsOf(node).map(({ name, value }) => [name, given.get(value) ?? value])
      return { ...node, operands: { ...node.operands, ...Object.fromEntries(operands) } }
    })
    return needed({ values, nodes, inputs: [...given.values()], outputs }, outputs)
  }
  return {
    values: graph.values,
    stops,
    nameOf,
    measure: (from, stop) => since(from, factors[stop - 1]!),
    section(from, to) {
      const made = stops[to]!.filter((map) => !stops[from]!.includes(map))
      return since(
        from,
        made.map((value) => ({ name: nameOf(value), value })),
      )
    },
    probe: probeOf(graph, factors.flat()),
  }
}
