// Lifetimes to offsets: where in one arena each computed value lives, so that memory is used again.

import { elements, type Graph, type ValueId } from './graph.ts'
import { opOf } from './ops.ts'
import { bytesPerElement } from './spec.ts'
import { operandsOf, writesOf } from './uses.ts'

/** Offsets are multiples of this: cudaMalloc aligns so, and a cache line, the widest vector of a CPU, is 64. */
const alignment = 256

export interface MemoryPlan {
  readonly arenaBytes: number
  /** Byte offset of each computed value that is not a graph output. */
  readonly offsets: ReadonlyMap<ValueId, number>
}

/** A piece of memory, and the first and last moment at which it is needed. */
export interface Block {
  readonly size: number
  readonly first: number
  readonly last: number
}

/** Values that share one piece of memory, and the nodes between which it is theirs. */
interface SharedBlock extends Block {
  readonly values: ValueId[]
  last: number
}

export const bytesOf = (graph: Graph, id: ValueId): number => {
  const { dtype, shape } = graph.values[id]!
  return bytesPerElement[dtype] * elements(shape)
}

const align = (bytes: number) => Math.ceil(bytes / alignment) * alignment

/** One block for each value, or for a chain of values that overwrite each other in place. */
function collectBlocks(graph: Graph, inPlace: boolean): SharedBlock[] {
  const outputs = new Set(graph.outputs.map((output) => output.value))
  const lastUse = new Map<ValueId, number>()
  graph.nodes.forEach((node, i) => {
    for (const { value } of operandsOf(node)) lastUse.set(value, i)
  })
  const blockOf = new Map<ValueId, SharedBlock>()
  const blocks: SharedBlock[] = []
  graph.nodes.forEach((node, i) => {
    const operands = operandsOf(node)
    for (const { value, spec } of writesOf(node)) {
      if (outputs.has(value)) continue
      const size = align(bytesOf(graph, value))
      const last = lastUse.get(value)!
      const overwritten = opOf(node.op).overwrites?.(node.params)
      // A value may be overwritten where the kernel allows it, nobody reads it later and it is read here only once.
      const source = (overwritten === undefined ? spec.inPlaceOf : [overwritten])
        .map((name) => node.operands[name])
        .find((id) => {
          if (!inPlace || id === undefined || lastUse.get(id) !== i) return false
          const block = blockOf.get(id)
          const fits = overwritten !== undefined || align(bytesOf(graph, id)) === size
          const alike = block && fits && graph.values[id]!.dtype === graph.values[value]!.dtype
          return alike && operands.filter((o) => blockOf.get(o.value) === block).length === 1
        })
      const shared = source === undefined ? undefined : blockOf.get(source)
      if (shared) {
        shared.values.push(value)
        shared.last = last
        blockOf.set(value, shared)
      } else {
        const block = { values: [value], size, first: i, last }
        blocks.push(block)
        blockOf.set(value, block)
      }
    }
  })
  return blocks
}

/** The lowest offset at which `size` fits between blocks sorted by offset. */
function firstGap(taken: readonly { offset: number; size: number }[], size: number): number {
  let offset = 0
  for (const block of taken) {
    if (offset + size <= block.offset) break
    offset = Math.max(offset, block.offset + block.size)
  }
  return offset
}

type Placed<B extends Block> = B & { readonly offset: number }

/** Blocks with their places, by offset, which end before `end`. */
export interface Placement<B extends Block> {
  readonly placed: readonly Placed<B>[]
  readonly end: number
}

const byOffset = (a: { readonly offset: number }, b: { readonly offset: number }) => a.offset - b.offset

/**
 * Greedy by size: the largest block first, each at the lowest offset where it meets no block that lives at the
 * same time (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, section 5.2).
 * Looks at no other blocks than these, which are few in a long graph.
 *
 * @param reuse off: every block has memory of its own, for tests
 */
export function placeBlocks<B extends Block>(blocks: readonly B[], reuse = true): Placement<B> {
  const moments = 1 + blocks.reduce((latest, { last }) => Math.max(latest, last), 0)
  // Of each moment: what begins there, and all that lives.
  const beginning = Array.from({ length: moments }, (): Placed<B>[] => [])
  const living = Array.from({ length: moments }, (): Placed<B>[] => [])
  const placed: Placed<B>[] = []
  for (const block of blocks.toSorted((a, b) => b.size - a.size || a.first - b.first)) {
    const [first, last] = reuse ? [block.first, block.last] : [0, 0]
    const neighbours = [living[first]!, ...beginning.slice(first + 1, last + 1)].flat().sort(byOffset)
    const one = { ...block, offset: firstGap(neighbours, block.size) }
    placed.push(one)
    beginning[first]!.push(one)
    for (let moment = first; moment <= last; moment++) living[moment]!.push(one)
  }
  const end = placed.reduce((most, { offset, size }) => Math.max(most, offset + size), 0)
  return { placed: placed.sort(byOffset), end }
}

/** @param reuse off: every value has memory of its own, for tests */
export function planMemory(graph: Graph, { reuse = true }: { readonly reuse?: boolean } = {}): MemoryPlan {
  const { placed, end } = placeBlocks(collectBlocks(graph, reuse), reuse)
  return {
    arenaBytes: end,
    offsets: new Map(placed.flatMap(({ values, offset }) => values.map((value) => [value, offset] as const))),
  }
}
