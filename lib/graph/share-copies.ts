// Guidance predicts twice from the same latents: what both copies have in common is computed once. A `tile` sinks
// through the ops that treat the pictures of a batch alike, up to the first that tells the copies apart.

import { elements, type Graph, type Node, type Value, type ValueId } from './graph.ts'
import { opOf } from './ops.ts'
import { readsOf, writesOf } from './uses.ts'

/** `times` copies of `source`, one after the other, that no node has made yet. */
interface Copies {
  readonly source: ValueId
  readonly times: number
  /** What makes them all where a `tile`, which has floats alone, cannot. */
  readonly whole?: Node | undefined
}

/**
 * The dimension that counts pictures, or rows of all pictures: the outermost one of what a node writes. Undefined
 * where another operand has it further in, so that it is no batch.
 */
function batchOf(node: Node): string | undefined {
  const batch = writesOf(node)[0]?.spec.dims[0]
  const inner = Object.values(opOf(node.op).operands).some(({ dims }) => dims.slice(1).includes(batch!))
  return inner ? undefined : batch
}

/**
 * Moves every `tile` as far towards the outputs as it goes. Results stay the same to the bit, since no kernel's
 * result for one picture depends on the others, but for the rounding of Strassen's algorithm.
 */
export function shareCopies(graph: Graph): Graph {
  const values: Value[] = [...graph.values]
  const nodes: Node[] = []
  const pending = new Map<ValueId, Copies>()

  const make = (value: ValueId) => {
    const copies = pending.get(value)
    if (!copies) return
    pending.delete(value)
    const { source, times, whole } = copies
    if (whole) {
      for (const read of readsOf(whole)) make(read.value)
      for (const written of writesOf(whole)) pending.delete(written.value)
      nodes.push(whole)
      return
    }
    const dims = { times, count: elements(values[source]!.shape) }
    nodes.push({ op: 'tile', dims, operands: { x: source, y: value }, params: {} })
  }

  /** How many copies the node computes of the same, if all that it reads is that many times the same and one of them is a node. */
  const timesOf = (node: Node): number | undefined => {
    const batch = batchOf(node)
    if (batch === undefined) return undefined
    const batched = readsOf(node).filter(({ spec }) => spec.dims[0] === batch)
    const [times, ...other] = new Set(batched.map(({ value }) => pending.get(value)?.times))
    const others = readsOf(node).filter(({ spec }) => spec.dims[0] !== batch)
    if (times === undefined || other.length > 0 || others.some(({ value }) => pending.has(value))) {
      return undefined
    }
    const dims = { ...node.dims, [batch]: node.dims[batch]! / times }
    const fault = opOf(node.op).check?.({ ...dims, ...node.params } as never)
    return Number.isInteger(dims[batch]) && fault === undefined ? times : undefined
  }

  const once = (node: Node, times: number): Node => {
    const batch = batchOf(node)!
    const operands: Record<string, ValueId> = { ...node.operands }
    for (const { name, value } of readsOf(node)) operands[name] = pending.get(value)?.source ?? value
    const whole = writesOf(node).every(({ spec }) => spec.dtype === 'f32') ? undefined : node
    for (const { name, value } of writesOf(node)) {
      const { shape } = values[value]!
      const source = values.push({ ...values[value]!, shape: [shape[0]! / times, ...shape.slice(1)] }) - 1
      pending.set(value, { source, times, whole })
      operands[name] = source
    }
    return { ...node, dims: { ...node.dims, [batch]: node.dims[batch]! / times }, operands }
  }

  for (const node of graph.nodes) {
    if (node.op === 'tile') {
      make(node.operands.x!)
      pending.set(node.operands.y!, { source: node.operands.x!, times: node.dims.times! })
      continue
    }
    const times = timesOf(node)
    if (times !== undefined) {
      nodes.push(once(node, times))
      continue
    }
    for (const { value } of readsOf(node)) make(value)
    nodes.push(node)
  }
  for (const { value } of graph.outputs) make(value)
  return { ...graph, values, nodes }
}
