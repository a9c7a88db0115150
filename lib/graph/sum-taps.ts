// 3x3 convolutions of enlarged pictures by less arithmetic: of a picture whose pixels are repeated, nine taps meet four
// pixels. A GPU multiplies these by sums of taps, which differ for the four outputs that begin as one pixel
// (kernels/cuda/pack.h).

import type { Graph, Node } from './graph.ts'
import { quarteredChannels } from './ops/upsample-conv2d.ts'

function fits({ op, dims, operands, params }: Node): boolean {
  const pads = [params.padTop, params.padLeft, params.padBottom, params.padRight]
  return (
    op === 'conv2d' &&
    dims.kh === 3 &&
    dims.kw === 3 &&
    dims.c! % quarteredChannels === 0 &&
    params.stride === 1 &&
    params.upsample === 2 &&
    pads.every((pad) => pad === 1) &&
    params.algorithm === 'direct' &&
    [operands.mean, operands.rowBias, operands.residual, operands.channelMean].every((id) => id === undefined)
  )
}

function summed({ dims: { rows: _, ...dims }, operands, params }: Node): Node {
  return { op: 'upsampleConv2d', dims, operands, params: { activation: params.activation! } }
}

export const sumTaps = (graph: Graph): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) => (fits(node) ? summed(node) : node)),
})
