// Fewer and fuller launches for a GPU: linear layers of the same rows become one op, and a layer norm goes into the op
// whose result it normalises.

import type { Graph, Node, ValueId } from './graph.ts'
import { joinedLayers } from './ops/joined.ts'

/** A 1x1 convolution that keeps the size of its picture is a linear layer over the pixels. */
function asLinear(node: Node): Node {
  if (node.op !== 'conv2d') return node
  const { n, ho, wo, o, c, kh, kw } = node.dims as Readonly<Record<string, number>>
  const { stride, upsample, padTop, padLeft, padBottom, padRight, activation } = node.params
  const moves = [padTop, padLeft, padBottom, padRight].some((pad) => pad !== 0)
  const { x, weight, bias, residual, rowBias, mean, y } = node.operands
  if (kh !== 1 || kw !== 1 || stride !== 1 || upsample !== 1 || moves) return node
  if (rowBias !== undefined || mean !== undefined) return node
  return {
    op: 'linear',
    dims: { m: n! * ho! * wo!, n: o!, k: c! },
    operands: {
      ...{ x: x!, w: weight!, y: y! },
      ...(bias !== undefined && { bias }),
      ...(residual !== undefined && { residual }),
    },
    params: { activation: activation! },
  }
}

/** Layers that may stand in one op have the same key. */
function keyOf({ op, dims, operands, params }: Node): string | undefined {
  if (op !== 'linear' || params.activation !== 'none' || operands.residual !== undefined) return undefined
  return [operands.x, dims.m, dims.n, dims.k].join(' ')
}

function project(layers: readonly Node[]): Node {
  const { dims, operands } = layers[0]!
  const all = layers.flatMap(({ operands: { w, bias, y } }, i) => [
    [`w${i}`, w!] as const,
    ...(bias === undefined ? [] : [[`bias${i}`, bias] as const]),
    [`y${i}`, y!] as const,
  ])
  return { op: 'projections', dims, operands: { x: operands.x!, ...Object.fromEntries(all) }, params: {} }
}

/** The op stands where the first of its layers stood: all that they read is there by then. */
function joinSameRows(nodes: readonly Node[]): Node[] {
  const open = new Map<string, Node[]>()
  const groups = new Map<Node, readonly Node[]>()
  for (const node of nodes) {
    const key = keyOf(node)
    if (key === undefined) continue
    const last = open.get(key)
    if (last && last.length < joinedLayers) {
      last.push(node)
    } else {
      open.set(key, [node])
    }
    const group = open.get(key)!
    groups.set(node, group)
  }
  return nodes.flatMap((node) => {
    const group = groups.get(node)
    if (!group || group.length === 1) return [node]
    return group[0] === node ? [project(group)] : []
  })
}

/** The norm is computed where the layer stood: it reads nothing else. */
function joinNorms(nodes: readonly Node[]): Node[] {
  const norms = new Map<ValueId, Node>()
  for (const node of nodes) {
    if (node.op === 'layerNorm' && !norms.has(node.operands.x!)) norms.set(node.operands.x!, node)
  }
  const joined = new Set<Node>()
  const result = nodes.map((node): Node => {
    const norm = norms.get(node.operands.y!)
    if (node.op !== 'linear' || node.params.activation !== 'none' || norm?.dims.c !== node.dims.n) return node
    joined.add(norm!)
    const { gamma, beta, y } = norm!.operands
    return {
      op: 'linearNorm',
      dims: node.dims,
      operands: { ...node.operands, gamma: gamma!, beta: beta!, normed: y! },
      params: { eps: norm!.params.eps! },
    }
  })
  return result.filter((node) => !joined.has(node))
}

export const joinLayers = (graph: Graph): Graph => ({
  ...graph,
  nodes: joinNorms(joinSameRows(graph.nodes.map(asLinear))),
})
