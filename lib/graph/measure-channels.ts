// Statistics of a normalisation are taken by the convolution that makes what is normalised, while it has it at hand: the
// largest maps of an autoencoder are read once less.

import type { Graph, Node, Value, ValueId } from './graph.ts'
import { isWinograd } from './ops/conv2d.ts'

/** What a convolution tells of the channels of its result, each (n, o). */
const moments = ['channelMean', 'channelVariance'] as const

/** Gives each `groupFactors` whose input is made by Winograd's algorithm the moments of channels instead of the input. */
export function measureChannels(graph: Graph): Graph {
  const values: Value[] = [...graph.values]
  const makers = new Map<ValueId, Node>()
  for (const node of graph.nodes) {
    if (node.op === 'conv2d' && isWinograd(node.params.algorithm)) makers.set(node.operands.y!, node)
  }

  const measuring = new Map<Node, Node>()
  const nodes = graph.nodes.map((node) => {
    const maker = node.op === 'groupFactors' ? makers.get(node.operands.x!) : undefined
    if (!maker) return node
    const { n, o } = maker.dims
    const { x, ...rest } = node.operands
    let measured = measuring.get(maker)
    if (!measured) {
      const found = Object.fromEntries(
        moments.map((name) => [name, values.push({ ...values[x!]!, shape: [n!, o!] }) - 1]),
      )
      measured = { ...maker, operands: { ...maker.operands, ...found } }
      measuring.set(maker, measured)
    }
    const { channelMean, channelVariance } = measured.operands
    return {
      ...node,
      operands: { ...rest, channelMean: channelMean!, channelVariance: channelVariance! },
    }
  })
  return { ...graph, values, nodes: nodes.map((node) => measuring.get(node) ?? node) }
}
