// Checks that a graph keeps to the op table; runs after every pass. A failure is a bug in tintype, never in a model.

import { TintypeError } from '../errors.ts'
import { elements, type Graph, type Node } from './graph.ts'
import { operandEntriesOf, opOf } from './ops.ts'
import type { DType, OperandSpec } from './spec.ts'
import { operandsOf } from './uses.ts'

const where = (graph: Graph, node: Node): string => {
  const output = operandsOf(node).find(({ spec }) => spec.role === 'output')
  return `${(output && graph.values[output.value]?.name) || 'graph'}: ${node.op}`
}

/** Whether an operand may be of that type: on some devices half precision stands in for float32. */
const holds = (operand: OperandSpec, dtype: DType): boolean =>
  operand.dtype === dtype ||
  (operand.dtype === 'f32' && !operand.keepsFloat && (dtype === 'f16' || dtype === 'bf16'))

/** What is wrong with one node, if anything, apart from the order of execution. */
function nodeProblem(graph: Graph, node: Node): string | undefined {
  const spec = opOf(node.op)
  for (const name of spec.dims) {
    const size = node.dims[name]
    if (size === undefined || !Number.isSafeInteger(size) || size < 0) return `dimension ${name} is ${size}`
  }
  for (const name of Object.keys(node.operands)) {
    if (!(name in spec.operands)) return `has no operand ${name}`
  }
  for (const [name, operand] of operandEntriesOf(node.op)) {
    const id = node.operands[name]
    if (id === undefined) {
      if (!operand.optional) return `needs operand ${name}`
      continue
    }
    const value = graph.values[id]
    if (!value) return `${name} is no value of the graph`
    const expected = operand.dims.map((dim) => node.dims[dim]!)
    if (elements(expected) !== elements(value.shape)) {
      return `expects ${name} of (${operand.dims}) = (${expected}), got (${value.shape})`
    }
    if ((operand.role === 'weight') !== (value.kind === 'weight')) return `${name} is a ${value.kind}`
    if (operand.role === 'output' && value.kind !== 'computed') return `writes ${value.kind} ${value.name}`
    if (operand.role !== 'weight' && !holds(operand, value.dtype)) return `${name} is ${value.dtype}`
  }
  for (const [name, param] of Object.entries(spec.params)) {
    const given = node.params[name]
    const right =
      param.type === 'enum'
        ? param.values!.includes(given as string)
        : param.type === 'int'
          ? Number.isInteger(given) && (given as number) >= param.min
          : Number.isFinite(given)
    if (!right) return `parameter ${name} is ${given}`
  }
  return spec.check?.({ ...node.dims, ...node.params } as Parameters<NonNullable<typeof spec.check>>[0])
}

/** Whether a pass has left a node and what it reads and writes as they were. */
function unchangedSince(before: Graph, graph: Graph): (node: Node) => boolean {
  const known = new Set(before.nodes)
  return (node) => {
    if (!known.has(node)) return false
    for (const name in node.operands) {
      const id = node.operands[name]!
      if (graph.values[id] !== before.values[id]) return false
    }
    return true
  }
}

/**
 * Throws when a node does not fit its op, or reads what is not yet written.
 *
 * @param before the graph that a pass made this one of, itself verified: what it left as it was is known to fit
 * @throws TintypeError `INTERNAL` naming the place in the model, the op and the operand
 */
export function verify(graph: Graph, before?: Graph): Graph {
  const fits = before ? unchangedSince(before, graph) : () => false
  const written = new Set<number>()
  for (const node of graph.nodes) {
    const problem = fits(node) ? undefined : nodeProblem(graph, node)
    if (problem) throw new TintypeError('INTERNAL', `${where(graph, node)} ${problem}.`)
    const operands = operandsOf(node)
    for (const { name, value, spec } of operands) {
      if (spec.role === 'input' && graph.values[value]!.kind === 'computed' && !written.has(value)) {
        throw new TintypeError('INTERNAL', `${where(graph, node)} reads ${name} before it is written.`)
      }
    }
    for (const { name, value, spec } of operands) {
      if (spec.role !== 'output') continue
      if (written.has(value))
        throw new TintypeError('INTERNAL', `${where(graph, node)} writes ${name} twice.`)
      written.add(value)
    }
  }
  for (const { name, value } of graph.outputs) {
    if (!written.has(value)) throw new TintypeError('INTERNAL', `Output ${name} is never written.`)
  }
  return graph
}
