// Skip connections without a copy: where group norms and 1x1 convolutions alone read two values side by side, they read both as
// they are (the up blocks of a UNet).

import type { Graph, Node, ValueId } from './graph.ts'
import { concatDepth } from './ops/concatenated.ts'
import { readsOf } from './uses.ts'

function isPointwise({ op, dims, operands, params }: Node): boolean {
  const pads = params.padTop || params.padLeft || params.padBottom || params.padRight
  return (
    op === 'conv2d' &&
    dims.kh === 1 &&
    dims.kw === 1 &&
    params.stride === 1 &&
    params.upsample === 1 &&
    !pads &&
    params.activation === 'none' &&
    params.algorithm === 'direct' &&
    [operands.mean, operands.rowBias, operands.channelMean].every((id) => id === undefined)
  )
}

/** The op that reads both halves; undefined where there is none. */
function ofHalves(reader: Node, { dims: { ca, cb, c, m }, operands: { a, b } }: Node): Node | undefined {
  const halves = { a: a!, b: b! }
  if (reader.op === 'groupNorm') {
    const { gamma, beta, y } = reader.operands
    const { n, hw } = reader.dims
    return {
      op: 'concatGroupNorm',
      dims: { n: n!, hw: hw!, ca: ca!, cb: cb!, c: c! },
      operands: { ...halves, gamma: gamma!, beta: beta!, y: y! },
      params: reader.params,
    }
  }
  if (!isPointwise(reader)) return undefined
  const { weight, bias, residual, y } = reader.operands
  const given = { ...(bias !== undefined && { bias }), ...(residual !== undefined && { residual }) }
  return {
    op: 'concatLinear',
    dims: { m: m!, n: reader.dims.o!, ca: ca!, cb: cb!, k: c! },
    operands: { ...halves, w: weight!, ...given, y: y! },
    params: {},
  }
}

export function elideConcats(graph: Graph): Graph {
  const kept = new Set<ValueId>(graph.outputs.map(({ value }) => value))
  const readers = new Map<ValueId, Node[]>()
  for (const node of graph.nodes) {
    for (const { value } of readsOf(node)) readers.set(value, [...(readers.get(value) ?? []), node])
  }
  const elided = new Set<Node>()
  const instead = new Map<Node, Node>()
  for (const node of graph.nodes) {
    if (node.op !== 'concat' || kept.has(node.operands.y!)) continue
    if (node.dims.ca! % concatDepth !== 0 || node.dims.cb! % 8 !== 0) continue
    const own = readers.get(node.operands.y!) ?? []
    const replaced = own.map((reader) => ofHalves(reader, node))
    if (!replaced.every((one) => one !== undefined)) continue
    elided.add(node)
    own.forEach((reader, i) => {
      instead.set(reader, replaced[i]!)
    })
  }
  const nodes = graph.nodes.filter((node) => !elided.has(node)).map((node) => instead.get(node) ?? node)
  return { ...graph, nodes }
}
