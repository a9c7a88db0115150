// How far a graph of convolutions sees: which rows of its results depend on what lies beyond the edge of a strip.

import { TintypeError } from '../errors.ts'
import type { Graph, Node, ValueId } from './graph.ts'
import type { OpName } from './ops.ts'
import { readsOf, writesOf } from './uses.ts'

/** Rows next to the upper and to the lower edge of a strip that what is beyond would change. */
interface Margins {
  readonly above: number
  readonly below: number
}

/** Each row of their results is of the same row of what they read; statistics are of whole pictures and come from elsewhere. */
const rowByRow: ReadonlySet<OpName> = new Set(['activation', 'add', 'fromPixels', 'groupFactors', 'toPixels'])

/** Row `o` of a convolution reads the rows from `stride * o - padTop` on, `kh` of them. */
function convolved({ dims, params }: Node, { above, below }: Margins): Margins {
  const { h, ho, kh } = dims as { readonly h: number; readonly ho: number; readonly kh: number }
  const { stride, padTop, upsample } = params as {
    readonly stride: number
    readonly padTop: number
    readonly upsample: number
  }
  const lastRight = upsample * (h - below) - 1
  return {
    above: Math.ceil((upsample * above + padTop) / stride),
    below: ho - 1 - Math.floor((lastRight + padTop - kh + 1) / stride),
  }
}

/**
 * Rows next to an edge of a strip that are wrong in anything that `graph` computes, where all of its inputs are right.
 *
 * @param rows of the strip, in the unit that the result is in; values may have more rows, but no fewer
 * @throws TintypeError `INTERNAL` for an op that sees the whole picture
 */
export function reachOf(graph: Graph, rows: number): number {
  const margins = new Map<ValueId, Margins>()
  let reach = 0
  for (const node of graph.nodes) {
    const read = readsOf(node).map(({ value }) => margins.get(value) ?? { above: 0, below: 0 })
    const most = {
      above: Math.max(...read.map(({ above }) => above)),
      below: Math.max(...read.map(({ below }) => below)),
    }
    if (node.op !== 'conv2d' && !rowByRow.has(node.op)) {
      throw new TintypeError('INTERNAL', `${node.op} cannot be computed strip by strip.`)
    }
    const own = node.op === 'conv2d' ? convolved(node, most) : most
    if (node.op === 'groupFactors') continue
    for (const { value } of writesOf(node)) {
      margins.set(value, own)
      const finer = graph.values[value]!.shape[1]! / rows
      reach = Math.max(reach, Math.ceil(own.above / finer), Math.ceil(own.below / finer))
    }
  }
  return reach
}
