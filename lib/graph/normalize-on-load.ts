// A group normalisation in front of a Winograd convolution is applied while the convolution loads its input: the
// normalised picture, the largest tensor of an autoencoder, is never in memory as a whole.

import type { Graph, Node, Value, ValueId } from './graph.ts'
import { isWinograd } from './ops/conv2d.ts'
import { countReads } from './uses.ts'

/** The computed factors of a normalisation, each (n, c). */
const factors = ['mean', 'factor', 'shift'] as const

/** Splits each `groupNorm` that only one such convolution reads into `groupFactors` and an operand of the convolution. */
export function normalizeOnLoad(graph: Graph): Graph {
  const values: Value[] = [...graph.values]
  const reads = countReads(graph)
  const norms = new Map<ValueId, Node>()
  for (const node of graph.nodes) if (node.op === 'groupNorm') norms.set(node.operands.y!, node)

  const split = new Map<Node, readonly Node[]>()
  for (const node of graph.nodes) {
    if (node.op !== 'conv2d' || !isWinograd(node.params.algorithm)) continue
    const norm = norms.get(node.operands.x!)
    if (!norm || reads.get(node.operands.x!) !== 1) continue
    const { x, gamma, beta, y } = norm.operands
    const { n, hw, c } = norm.dims
    const { groups, eps, activation } = norm.params
    const found = Object.fromEntries(
      factors.map((name) => {
        const value: Value = { ...values[y!]!, shape: [n!, c!] }
        return [name, values.push(value) - 1]
      }),
    )
    const operands = { x: x!, gamma: gamma!, beta: beta!, ...found }
    split.set(norm, [
      {
        op: 'groupFactors',
        dims: { n: n!, hw: hw!, c: c! },
        operands,
        params: { groups: groups!, eps: eps! },
      },
    ])
    split.set(node, [
      {
        ...node,
        operands: { ...node.operands, ...found, x: x! },
        params: { ...node.params, inputActivation: activation! },
      },
    ])
  }
  return { ...graph, values, nodes: graph.nodes.flatMap((node) => split.get(node) ?? [node]) }
}
