// A graph with its memory plan, as the words that native/plan.h describes.

import { TintypeError } from '../errors.ts'
import type { Graph, ValueId } from './graph.ts'
import { opNames, opOf } from './ops.ts'
import { bytesOf, type MemoryPlan } from './plan-memory.ts'
import { bytesPerElement, type DType } from './spec.ts'

const magic = 0x4c505454 // "TTPL"
const version = 1
const absent = 0xffffffff
const space = { arena: 0, input: 1, output: 2, weight: 3 } as const
const dtypes = Object.keys(bytesPerElement) as DType[]

/** 64 bits as two words, the low one first. */
const wide = (value: number): [number, number] => [value >>> 0, Math.floor(value / 2 ** 32)]

const floatBits = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!

/** A dimension of an op, in the 32 bits that a plan has for it. */
function word(size: number, op: string): number {
  if (size < 2 ** 32) return size
  throw new TintypeError(
    'OUT_OF_MEMORY',
    `${op} of ${size} numbers and more is beyond what a plan can say.`,
    {
      advice: 'Make fewer or smaller pictures at once.',
    },
  )
}

/**
 * Encodes a plan for `compile` of the addon.
 *
 * @param weightIndex position in the weight set of each weight, by name
 * @throws TintypeError `OUT_OF_MEMORY` where an op is over 2^32 numbers
 */
export function encode(graph: Graph, memory: MemoryPlan, weightIndex: (name: string) => number): ArrayBuffer {
  const inputSlot = new Map(graph.inputs.map((id, slot) => [id, slot]))
  const outputSlot = new Map(graph.outputs.map(({ value }, slot) => [value, slot]))

  const place = (id: ValueId): [number, number] => {
    const value = graph.values[id]!
    if (value.kind === 'weight') return [space.weight, weightIndex(value.name)]
    if (value.kind === 'input') return [space.input, inputSlot.get(id)!]
    if (outputSlot.has(id)) return [space.output, outputSlot.get(id)!]
    return [space.arena, memory.offsets.get(id)!]
  }

  // Fused graphs leave values behind that no node mentions: only the others get a number.
  const used = [...new Set(graph.nodes.flatMap((node) => Object.values(node.operands)))].sort((a, b) => a - b)
  for (const id of graph.inputs) if (!used.includes(id)) used.push(id)
  const number = new Map(used.map((id, i) => [id, i]))

  const words = [
    magic,
    version,
    ...wide(memory.arenaBytes),
    used.length,
    graph.nodes.length,
    graph.inputs.length,
    graph.outputs.length,
  ]
  for (const id of used) {
    const [where, index] = place(id)
    words.push(where, dtypes.indexOf(graph.values[id]!.dtype), ...wide(index), ...wide(bytesOf(graph, id)))
  }
  for (const node of graph.nodes) {
    const spec = opOf(node.op)
    words.push(opNames.indexOf(node.op))
    for (const dim of spec.dims) words.push(word(node.dims[dim]!, node.op))
    for (const name of Object.keys(spec.operands)) {
      const id = node.operands[name]
      words.push(id === undefined ? absent : number.get(id)!)
    }
    for (const [name, param] of Object.entries(spec.params)) {
      const value = node.params[name]!
      if (param.type === 'enum') words.push(param.values!.indexOf(value as string))
      else words.push(param.type === 'float' ? floatBits(value as number) : (value as number))
    }
  }
  return Uint32Array.from(words).buffer
}
