// Large maps whose last reader contracts them, as the shortcut of a residual block does: the result may take their memory.

import type { Graph, Node } from './graph.ts'
import { bytesOf, planMemory } from './plan-memory.ts'
import { operandsOf } from './uses.ts'

/** A contraction in place takes a product for each doubling of the rows: less memory than this is not worth it. */
const worthwhile = 64 * 2 ** 20

function isContraction({ op, dims, params, operands }: Node): boolean {
  if (op !== 'conv2d' || dims.kh !== 1 || dims.kw !== 1 || dims.rows !== 1) return false
  if (dims.ho !== dims.h || dims.wo !== dims.w || params.stride !== 1 || params.upsample !== 1) return false
  return 2 * dims.o! <= dims.c! && operands.residual === undefined && params.algorithm !== 'winograd'
}

/**
 * Lets the result of a 1x1 convolution lie where its input was, wherever nobody reads that later: a residual block of
 * 256 to 128 channels at 512x512 needs three maps of 128 channels at a time instead of four. The memory stays that of
 * the input for as long as the result is needed: a graph that would take more by it is left as it is.
 */
export function contractInPlace(graph: Graph): Graph {
  const lastRead = new Map<number, Node>()
  for (const node of graph.nodes) for (const { value } of operandsOf(node)) lastRead.set(value, node)
  const given = new Set(graph.outputs.map(({ value }) => value))
  const fits = (node: Node): boolean => {
    const x = node.operands.x!
    const free = graph.values[x]!.kind === 'computed' && !given.has(x) && lastRead.get(x) === node
    return free && !given.has(node.operands.y!) && bytesOf(graph, x) >= worthwhile
  }
  const nodes = graph.nodes.map((node) =>
    isContraction(node) && fits(node)
      ? { ...node, params: { ...node.params, algorithm: 'contraction' } }
      : node,
  )
  const contracted = { ...graph, nodes }
  return planMemory(contracted).arenaBytes < planMemory(graph).arenaBytes ? contracted : graph
}
