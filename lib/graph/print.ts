// A graph as text: one line a node, for people and for snapshots.

import { describe, type Graph, type ValueId } from './graph.ts'
import { opOf } from './ops.ts'
import { readsOf, writesOf } from './uses.ts'

/** What a parameter mostly is, and what then goes without saying. */
const usual: Readonly<Record<string, number | string>> = {
  stride: 1,
  upsample: 1,
  activation: 'none',
  inputActivation: 'none',
  mask: 'none',
  arithmetic: 'f32',
  algorithm: 'direct',
}

function printParams(params: Readonly<Record<string, number | string>>): string {
  return Object.entries(params)
    .filter(([name, value]) => value !== (usual[name] ?? 0))
    .map(([name, value]) => ` ${name}=${value}`)
    .join('')
}

/**
 * @example
 * %0: f32[1, 8, 8, 4] = input latents
 * %3: f32[1, 8, 8, 32] = conv2d(x=%0, weight=conv_in.weight, bias=conv_in.bias) padTop=1 padLeft=1 padBottom=1 padRight=1
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
