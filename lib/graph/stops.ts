// Where a graph with normalisations can stop: in front of each of them. What is wanted later then lies in memory as whole
// maps, so that what comes before need not be computed again once the statistics are known.

import type { Graph, Node, ValueId } from './graph.ts'
import { bytesOf } from './plan-memory.ts'
import { readsOf, writesOf } from './uses.ts'

/** What of a graph has been computed at a stop. */
class Progress {
  readonly #graph: Graph
  readonly #madeBy = new Map<ValueId, Node>()
  readonly #done = new Set<Node>()

  constructor(graph: Graph) {
    this.#graph = graph
    for (const node of graph.nodes) for (const { value } of writesOf(node)) this.#madeBy.set(value, node)
  }

  /** Computes a value, and whatever it is made of. */
  compute(id: ValueId): void {
    const node = this.#madeBy.get(id)
    if (!node || this.#done.has(node)) return
    for (const { value } of readsOf(node)) this.compute(value)
    this.#done.add(node)
  }

  /** Computes what makes less of what there is: a shortcut with half the channels, for example. */
  shrink(): void {
    for (let bytes = this.#bytes(); ; ) {
      const smaller = this.#graph.nodes.find((node) => this.#ready(node) && this.#bytes(node) < bytes)
      if (!smaller) return
      this.#done.add(smaller)
      bytes = this.#bytes()
    }
  }

  /** Values that are there and wanted later, but for factors of normalisations. */
  maps(next?: Node): ValueId[] {
    const isDone = (node: Node | undefined) => node === next || (node !== undefined && this.#done.has(node))
    const later = this.#graph.nodes.filter((node) => !isDone(node))
    const wanted = later.flatMap((node) => readsOf(node).map(({ value }) => value))
    for (const { value } of this.#graph.outputs) wanted.push(value)
    return [...new Set(wanted)]
      .filter((id) => {
        const maker = this.#madeBy.get(id)
        const there = this.#graph.values[id]!.kind === 'input' || (maker !== undefined && isDone(maker))
        return there && maker?.op !== 'groupFactors'
      })
      .sort((a, b) => a - b)
  }

  #ready(node: Node): boolean {
    if (this.#done.has(node) || node.op === 'groupFactors') return false
    return readsOf(node).every(({ value }) => {
      const maker = this.#madeBy.get(value)
      return !maker || this.#done.has(maker)
    })
  }

  #bytes(next?: Node): number {
    return this.maps(next).reduce((sum, id) => sum + bytesOf(this.#graph, id), 0)
  }
}

/**
 * The maps at each stop: first the inputs, then what there is in front of each `groupFactors`, last the outputs.
 *
 * @param graph whose normalisations are `groupFactors` and convolutions that read them
 */
export function mapsAtStops(graph: Graph): ValueId[][] {
  const progress = new Progress(graph)
  const atNorms = graph.nodes
    .filter((node) => node.op === 'groupFactors')
    .map((norm) => {
      progress.compute(norm.operands.x!)
      progress.shrink()
      return progress.maps()
    })
  return [[...graph.inputs], ...atNorms, graph.outputs.map(({ value }) => value)]
}
