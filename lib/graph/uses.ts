// Who reads and who writes each value: what passes ask before they change anything.

import type { Graph, Node, ValueId } from './graph.ts'
import { operandEntriesOf } from './ops.ts'
import type { OperandSpec } from './spec.ts'

export interface Operand {
  readonly name: string
  readonly value: ValueId
  readonly spec: OperandSpec
}

/** The operands that a node has, in the order of the op table. */
export function operandsOf(node: Node): Operand[] {
  const operands: Operand[] = []
  for (const [name, spec] of operandEntriesOf(node.op)) {
    const value = node.operands[name]
    if (value !== undefined) operands.push({ name, value, spec })
  }
  return operands
}

export const readsOf = (node: Node): Operand[] => operandsOf(node).filter((o) => o.spec.role !== 'output')
export const writesOf = (node: Node): Operand[] => operandsOf(node).filter((o) => o.spec.role === 'output')

/** Number of times each value is read, a graph output counting as one. */
export function countReads(graph: Graph): Map<ValueId, number> {
  const reads = new Map<ValueId, number>()
  const count = (value: ValueId) => reads.set(value, (reads.get(value) ?? 0) + 1)
  for (const node of graph.nodes) for (const { value } of readsOf(node)) count(value)
  for (const { value } of graph.outputs) count(value)
  return reads
}
