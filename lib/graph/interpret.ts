// Runs a graph with the references of the op table: slow, exact, and in need of no addon.

import { elements, type Graph, type ValueId } from './graph.ts'
import { opOf } from './ops.ts'
import type { Numbers, Round } from './spec.ts'
import { operandsOf } from './uses.ts'

export interface InterpretOptions {
  readonly inputs: Readonly<Record<string, Numbers>>
  readonly weight: (name: string) => Numbers
  /** Identity by default: float64 throughout. */
  readonly round?: Round
}

/** The outputs by name. */
export function interpret(
  graph: Graph,
  { inputs, weight, round = (x) => x }: InterpretOptions,
): Record<string, Numbers> {
  const arrays = new Map<ValueId, Numbers>()
  const arrayOf = (id: ValueId): Numbers => {
    const known = arrays.get(id)
    if (known) return known
    const { kind, name, dtype, shape } = graph.values[id]!
    const made =
      kind === 'weight'
        ? weight(name)
        : kind === 'input'
          ? inputs[name]!
          : dtype === 'u8'
            ? new Uint8Array(elements(shape))
            : new Float64Array(elements(shape))
    arrays.set(id, made)
    return made
  }
  for (const node of graph.nodes) {
    const operands = Object.fromEntries(operandsOf(node).map(({ name, value }) => [name, arrayOf(value)]))
    opOf(node.op).reference({ ...node.dims, ...node.params, ...operands } as never, round)
  }
  return Object.fromEntries(graph.outputs.map(({ name, value }) => [name, arrayOf(value)]))
}
