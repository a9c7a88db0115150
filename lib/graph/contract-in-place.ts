// Large maps whose last reader contracts them, as the shortcut of a residual block does: the result may take their memory.

import type { Graph, Node } from './graph.ts'
import { isWinograd } from './ops/conv2d.ts'
import { opOf } from './ops.ts'
import { bytesOf, planMemory } from './plan-memory.ts'
import { countReads, operandsOf } from './uses.ts'

/** A contraction in place takes a product for each doubling of the rows: less memory than this is not worth it. */
const worthwhile = 64 * 2 ** 20

const contracted = (node: Node): Node => ({ ...node, params: { ...node.params, algorithm: 'contraction' } })

function canContract(node: Node): boolean {
  if (node.op !== 'conv2d' || isWinograd(node.params.algorithm)) return false
  const { dims, params } = contracted(node)
  return opOf('conv2d').check!({ ...dims, ...params } as never) === undefined
}

/** Who makes the residual of a convolution, if nobody else reads it and either could be added to the other. */
function otherBranch(graph: Graph, { operands: { residual }, params }: Node): Node | undefined {
  const maker = graph.nodes.find(({ operands }) => operands.y === residual)
  if (maker?.op !== 'conv2d' || maker.operands.residual !== undefined) return undefined
  const isPlain = params.activation === 'none' && maker.params.activation === 'none'
  return isPlain && countReads(graph).get(residual!) === 1 ? maker : undefined
}

/**
 * The graph with a contraction. One that adds the other branch of its block to its result changes places with it: the
 * input is needed no longer then when the other branch is computed, which adds the result.
 */
function withContraction(graph: Graph, node: Node): Graph | undefined {
  const { residual, ...operands } = node.operands
  if (residual === undefined) {
    return { ...graph, nodes: graph.nodes.map((one) => (one === node ? contracted(node) : one)) }
  }
  const other = otherBranch(graph, node)
  if (!other) return undefined
  const first = contracted({ ...node, operands: { ...operands, y: residual } })
  const second = { ...other, operands: { ...other.operands, residual, y: node.operands.y! } }
  // Where the contraction was: all that either reads has been written there.
  const nodes = graph.nodes.flatMap((one) => (one === other ? [] : one === node ? [first, second] : [one]))
  return { ...graph, nodes }
}

/** Contractions whose input nobody reads later, largest first. */
function candidates(graph: Graph): Node[] {
  const lastRead = new Map<number, Node>()
  for (const node of graph.nodes) for (const { value } of operandsOf(node)) lastRead.set(value, node)
  const given = new Set(graph.outputs.map(({ value }) => value))
  const input = (node: Node) => node.operands.x!
  const fits = (node: Node): boolean => {
    const x = input(node)
    const free = graph.values[x]!.kind === 'computed' && !given.has(x) && lastRead.get(x) === node
    return free && !given.has(node.operands.y!) && bytesOf(graph, x) >= worthwhile
  }
  return graph.nodes
    .filter((node) => canContract(node) && fits(node))
    .toSorted((a, b) => bytesOf(graph, input(b)) - bytesOf(graph, input(a)))
}

/**
 * Lets the result of a 1x1 convolution lie where its input was, wherever nobody reads that later and the graph takes
 * less memory by it: a residual block of 256 to 128 channels at 512x512 needs three maps of 128 channels at a time instead
 * of four. The memory stays that of the input for as long as the result is needed.
 */
export function contractInPlace(graph: Graph): Graph {
  let best = graph
  for (const candidate of candidates(graph)) {
    const tried = withContraction(best, candidate)
    if (tried && planMemory(tried).arenaBytes < planMemory(best).arenaBytes) best = tried
  }
  return best
}
