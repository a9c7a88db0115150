// A graph as text: one line a node, for people and for snapshots.

import { describe, type Graph, type ValueId } from './graph.ts'
import { opOf } from './ops.ts'
import { readsOf, writesOf } from './uses.ts'

/** Parameters that say something: what is zero, one or none as usual is left out. */
function printParams(params: Readonly<Record<string, number | string>>): string {
  return Object.entries(params)
    .filter(([, value]) => value !== 0 && value !== 1 && value !== 'none')
    .map(([name, value]) => ` ${name}=${value}`)
    .join('')
}

/**
 * @example
 * %0: f32[1, 8, 8, 4] = input latents
 * %3: f32[1, 8, 8, 32] = conv2d(x=%0, weight=conv_in.weight, bias=conv_in.bias) padTop=1
 */
export function print(graph: Graph): string {
  const numbers = new Map<ValueId, number>()
  const number = (id: ValueId) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size)
    return `%${numbers.get(id)}`
  }
  const lines = graph.inputs.map((id) => {
    const value = graph.values[id]!
    return `${number(id)}: ${describe(value)} = input ${value.name}`
  })
  for (const node of graph.nodes) {
    const reads = readsOf(node).map(({ name, value: id }) => {
      const value = graph.values[id]!
      return `${name}=${value.kind === 'weight' ? value.name : number(id)}`
    })
    const writes = writesOf(node).map(({ value: id }) => `${number(id)}: ${describe(graph.values[id]!)}`)
    lines.push(`${writes.join(', ')} = ${opOf(node.op).name}(${reads.join(', ')})${printParams(node.params)}`)
  }
  for (const { name, value } of graph.outputs) lines.push(`output ${name} = ${number(value)}`)
  return `${lines.join('\n')}\n`
}
