// Fewer and fuller launches for a GPU: linear layers of the same rows become one op.

import type { Graph, Node } from './graph.ts'
import { joinedLayers } from './ops/joined.ts'

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
  return {
    ...{ op: 'projections', dims, operands: { x: operands.x!, ...Object.fromEntries(all) } },
    params: { eps: 0, activation: 'none' },
  }
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

export const joinLayers = (graph: Graph): Graph => ({ ...graph, nodes: joinSameRows(graph.nodes) })
