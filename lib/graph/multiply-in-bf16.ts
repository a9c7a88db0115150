// What a CPU that multiplies bf16 is to multiply so, beside layers whose weights are kept in it.

import type { Graph } from './graph.ts'

/** Attention over queries, keys, values and weights that are rounded to bf16; maxima, exponentials and sums stay float32. */
export function multiplyInBf16(graph: Graph): Graph {
  const nodes = graph.nodes.map((node) =>
    node.op === 'attention' ? { ...node, params: { ...node.params, arithmetic: 'bf16' } } : node,
  )
  return { ...graph, nodes }
}
