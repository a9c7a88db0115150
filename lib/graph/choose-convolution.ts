// Which algorithm each convolution takes: arithmetic weighed against transforms.

import type { Graph, Node } from './graph.ts'

/** The sizes that the choice depends on, as in the `conv2d` entry of the op table. */
export interface ConvolutionSize {
  readonly n: number
  readonly ho: number
  readonly wo: number
  readonly c: number
  readonly o: number
}

/** Side of an output tile of F(4x4, 3x3), and the products that a tile takes. */
const tile = 4
const products = 36
/** Tiles that share one transform of the weights, as in kernels/cpu/winograd.cc. */
const group = 126
/**
 * What a transform costs, in products of the matrix multiplication: of one weight (o, c), of one channel of a patch,
 * and of one channel of an output tile. Fitted to timings on AVX2.
 */
const weightCost = 90
const patchCost = 140
const outputCost = 150
/** Direct convolution stays where the gain would be small: it is the more exact one. */
const worthwhile = 0.8

/** Products that a direct 3x3 convolution takes, and what F(4x4, 3x3) takes with its transforms. */
export function convolutionCosts({ n, ho, wo, c, o }: ConvolutionSize): {
  readonly direct: number
  readonly winograd: number
} {
  const tiles = n * Math.ceil(ho / tile) * Math.ceil(wo / tile)
  const weights = Math.ceil(tiles / group) * weightCost * c * o
  return {
    direct: 9 * n * ho * wo * c * o,
    winograd: tiles * (products * c * o + patchCost * c + outputCost * o) + weights,
  }
}

function takesWinograd({ op, dims, params }: Node): boolean {
  if (op !== 'conv2d' || dims.kh !== 3 || dims.kw !== 3 || params.stride !== 1) return false
  const { direct, winograd } = convolutionCosts(dims as unknown as ConvolutionSize)
  return winograd < worthwhile * direct
}

/** Gives every 3x3 convolution that gains by it Winograd's algorithm. */
export function chooseConvolutions(graph: Graph): Graph {
  const nodes = graph.nodes.map((node) =>
    takesWinograd(node) ? { ...node, params: { ...node.params, algorithm: 'winograd' } } : node,
  )
  return { ...graph, nodes }
}
