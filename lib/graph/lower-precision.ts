// Half precision for devices that compute in it: which values are of it, and conversions where types meet.

import type { Graph, Node, Value, ValueId } from './graph.ts'
import { elements } from './graph.ts'
import { isHandedOver } from './handed-over.ts'
import { operandsOf } from './uses.ts'

export type HalfPrecision = 'f16' | 'bf16'

/** What the op table says about the values of a graph: who wants float32 and who does not. */
function usesOf(graph: Graph): { readonly float: Set<ValueId>; readonly half: Set<ValueId> } {
  const float = new Set<ValueId>()
  const half = new Set<ValueId>()
  for (const node of graph.nodes) {
    for (const { value, spec } of operandsOf(node)) {
      if (spec.role === 'input' && spec.dtype === 'f32') (spec.keepsFloat ? float : half).add(value)
    }
  }
  // What JavaScript reads is float32, but for what one graph hands to another.
  for (const { name, value } of graph.outputs)
    if (!isHandedOver(name) && graph.values[value]!.dtype === 'f32') float.add(value)
  return { float, half }
}

/**
 * Gives every activation the type `half`, but for the operands that keep float32 (`keepsFloat` in the op table), and
 * inserts `narrow` and `widen` where one value is wanted in both. Inputs and outputs of the graph stay float32, but for
 * what graphs hand over. Weights are not touched: the device converts them when it packs them.
 */
export function lowerPrecision(graph: Graph, half: HalfPrecision): Graph {
  const uses = usesOf(graph)
  const values: Value[] = [...graph.values]
  const nodes: Node[] = []
  const narrowed = new Map<ValueId, ValueId>()
  const widened = new Map<ValueId, ValueId>()

  const convert = (op: 'narrow' | 'widen', x: ValueId): ValueId => {
    const { name, shape } = values[x]!
    const y = values.push({ kind: 'computed', name, dtype: op === 'narrow' ? half : 'f32', shape }) - 1
    nodes.push({ op, dims: { count: elements(shape) }, operands: { x, y }, params: {} })
    return y
  }

  for (const id of graph.inputs) {
    if (!uses.half.has(id)) continue
    if (isHandedOver(values[id]!.name) && !uses.float.has(id)) {
      values[id] = { ...values[id]!, dtype: half }
    } else {
      narrowed.set(id, convert('narrow', id))
    }
  }
  for (const node of graph.nodes) {
    const operands = Object.fromEntries(
      operandsOf(node).map(({ name, value, spec }) => {
        if (spec.role !== 'input' || spec.dtype !== 'f32') return [name, value]
        return [name, (spec.keepsFloat ? widened : narrowed).get(value) ?? value]
      }),
    )
    nodes.push({ ...node, operands })
    for (const { value, spec } of operandsOf(node)) {
      if (spec.role !== 'output' || spec.dtype !== 'f32') continue
      if (spec.keepsFloat) {
        if (uses.half.has(value)) narrowed.set(value, convert('narrow', value))
      } else {
        values[value] = { ...values[value]!, dtype: half }
        if (uses.float.has(value)) widened.set(value, convert('widen', value))
      }
    }
  }
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: widened.get(value) ?? value }))
  return { ...graph, values, nodes, outputs }
}
