// A layer norm in front of linear layers goes into them: a GPU multiplies rows as they are, and takes mean and deviation of each
// row into account afterwards (kernels/cuda/gemm_norm.cuh). The normalised rows are never in memory.

import type { Graph, Node, ValueId } from './graph.ts'
import { countReads } from './uses.ts'

/** A linear layer as the op that can hold a norm; undefined for what cannot. */
function asNormed(node: Node): Node | undefined {
  const { op, dims, operands, params } = node
  if (op === 'linearGeglu' || op === 'projections') return operands.gamma === undefined ? node : undefined
  if (op !== 'linear' || operands.residual !== undefined) return undefined
  const { x, w, bias, y } = operands
  return {
    op: 'projections',
    dims,
    operands: { x: x!, w0: w!, ...(bias !== undefined && { bias0: bias }), y0: y! },
    params: { eps: 0, activation: params.activation! },
  }
}

/** Folds every `layerNorm` whose result linear layers alone read. */
export function foldNorms(graph: Graph): Graph {
  const reads = countReads(graph)
  const norms = new Map<ValueId, Node>()
  for (const node of graph.nodes) if (node.op === 'layerNorm') norms.set(node.operands.y!, node)
  const readers = new Map<Node, Node[]>([...norms.values()].map((norm) => [norm, []]))
  for (const node of graph.nodes) {
    const norm = norms.get(node.operands.x!)
    if (norm && asNormed(node)?.dims.k === norm.dims.c) readers.get(norm)!.push(node)
  }

  const folded = new Set<Node>()
  const inFront = new Map<Node, Node>()
  for (const [norm, layers] of readers) {
    if (layers.length === 0 || layers.length !== reads.get(norm.operands.y!)) continue
    folded.add(norm)
    for (const layer of layers) inFront.set(layer, norm)
  }
  const nodes = graph.nodes.flatMap((node): Node[] => {
    if (folded.has(node)) return []
    const norm = inFront.get(node)
    if (!norm) return [node]
    const layer = asNormed(node)!
    const { x, gamma, beta } = norm.operands
    return [
      {
        ...layer,
        operands: { ...layer.operands, x: x!, gamma: gamma!, beta: beta! },
        params: { ...layer.params, eps: norm.params.eps! },
      },
    ]
  })
  return { ...graph, nodes }
}
