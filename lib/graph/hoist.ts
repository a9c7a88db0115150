// What a loop computes from inputs that stay the same is computed once, before the loop.

import type { Graph, Value, ValueId } from './graph.ts'
import { handedOver } from './handed-over.ts'
import { readsOf, writesOf } from './uses.ts'

export interface Hoisted {
  /** Reads fixed inputs alone; its outputs are named `handedOver('hoisted 0')` and so on. */
  readonly before: Graph
  /** The rest, which takes those outputs as inputs. */
  readonly loop: Graph
}

/** Splits a graph into the nodes that depend on nothing but weights and the inputs named `fixed`, and the others. */
export function hoist(graph: Graph, fixed: ReadonlySet<string>): Hoisted {
  const { values, nodes, inputs, outputs } = graph
  const known = new Set<ValueId>()
  values.forEach(({ kind, name }, id) => {
    if (kind === 'weight' || (kind === 'input' && fixed.has(name))) known.add(id)
  })
  // An output is written where the caller expects it: in the loop.
  const isOutput = (id: ValueId) => outputs.some(({ value }) => value === id)
  const first = nodes.filter((node) => {
    const before =
      readsOf(node).every(({ value }) => known.has(value)) &&
      !writesOf(node).some(({ value }) => isOutput(value))
    if (before) for (const { value } of writesOf(node)) known.add(value)
    return before
  })
  const hoistedNodes = new Set(first)
  const later = nodes.filter((node) => !hoistedNodes.has(node))
  const made = new Set(first.flatMap((node) => writesOf(node).map(({ value }) => value)))
  const wanted = new Set(later.flatMap((node) => readsOf(node).map(({ value }) => value)))
  const handed = [...made].filter((value) => wanted.has(value))

  const inputsOf = (some: Graph['nodes']) => {
    const read = new Set(some.flatMap((node) => readsOf(node).map(({ value }) => value)))
    return inputs.filter((id) => read.has(id))
  }
  const nameOf = new Map(handed.map((id, i) => [id, handedOver(`hoisted ${i}`)]))
  const asInputs: Value[] = values.map((value, id) =>
    nameOf.has(id) ? { ...value, kind: 'input', name: nameOf.get(id)! } : value,
  )
  return {
    before: {
      values,
      nodes: first,
      inputs: inputsOf(first),
      outputs: handed.map((value) => ({ name: nameOf.get(value)!, value })),
    },
    loop: { values: asInputs, nodes: later, inputs: [...inputsOf(later), ...handed], outputs },
  }
}
