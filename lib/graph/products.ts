// How much work a graph is, to weigh one way of computing something against another.

import type { Graph } from './graph.ts'

/** Products of numbers that its convolutions take, computed directly: nearly all the work of an autoencoder. */
export const convolutionProducts = ({ nodes }: Graph): number =>
  nodes.reduce((sum, { op, dims }) => {
    const { n, ho, wo, o, c, kh, kw } = dims as Readonly<Record<string, number>>
    return op === 'conv2d' ? sum + n! * ho! * wo! * o! * c! * kh! * kw! : sum
  }, 0)
