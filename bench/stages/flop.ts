// How much arithmetic a stage is by its definition, so that times of all contenders become speeds.

import type { Graph, Node } from '../../lib/graph/graph.ts'

/** Layers of `projections`. */
export const layersOf = (operands: Node['operands']) =>
  Object.keys(operands).filter((name) => name.startsWith('w')).length

/** Multiplications and additions of one node; what only moves or scales elements counts as nothing. */
export function flopOf({ op, dims: d, operands }: Node): number {
  if (op === 'linear' || op === 'concatLinear') return 2 * d.m! * d.n! * d.k!
  if (op === 'projections') return 2 * d.m! * d.n! * d.k! * layersOf(operands)
  if (op === 'linearGeglu') return 2 * d.m! * d.n2! * d.k!
  if (op === 'conv2d') return 2 * d.n! * d.ho! * d.wo! * d.o! * d.c! * d.kh! * d.kw!
  // Four sums of taps for each of four outputs of a pixel.
  if (op === 'upsampleConv2d') return 2 * d.n! * d.h! * d.w! * d.o! * d.c! * 16
  if (op === 'attention') return 4 * d.n! * d.lq! * d.lk! * d.c!
  return 0
}

export const countFlop = ({ nodes }: Graph): number => nodes.reduce((total, node) => total + flopOf(node), 0)
