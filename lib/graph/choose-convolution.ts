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

interface Tiles {
  /** Side of an output tile. */
  readonly side: number
  /** Tiles that share one transform of the weights: at least, in kernels/cpu/winograd.cc. */
  readonly group: number
  /**
   * What a transform costs, in products of the matrix multiplication: of one weight (o, c), of one channel of a patch,
   * and of one channel of an output tile. For tiles of 4x4 fitted to timings on AVX2, for those of 6x6 as many times as much
   * as they have operations.
   */
  readonly weightCost: number
  readonly patchCost: number
  readonly outputCost: number
}

const tiles = {
  winograd4: { side: 4, group: 126, weightCost: 90, patchCost: 140, outputCost: 150 },
  winograd6: { side: 6, group: 126, weightCost: 160, patchCost: 400, outputCost: 560 },
} as const satisfies Record<string, Tiles>

type Algorithm = 'direct' | keyof typeof tiles

function winogradCost({ n, ho, wo, c, o }: ConvolutionSize, size: Tiles): number {
  const { side, group, weightCost, patchCost, outputCost } = size
  const count = n * Math.ceil(ho / side) * Math.ceil(wo / side)
  const products = (side + 2) ** 2
  return (
    count * (products * c * o + patchCost * c + outputCost * o) +
    Math.ceil(count / group) * weightCost * c * o
  )
}

/** Products that a direct 3x3 convolution takes, and what F(4x4, 3x3) and F(6x6, 3x3) take with their transforms. */
export function convolutionCosts(size: ConvolutionSize): Readonly<Record<Algorithm, number>> {
  const { n, ho, wo, c, o } = size
  return {
    direct: 9 * n * ho * wo * c * o,
    winograd4: winogradCost(size, tiles.winograd4),
    winograd6: winogradCost(size, tiles.winograd6),
  }
}

export interface ConvolutionOptions {
  /** F(6x6, 3x3) too: for kernels whose registers and caches hold what its larger tiles take. */
  readonly largeTiles?: boolean
}

/** What an algorithm may cost of the one before it, which is more exact. */
const worthwhile = { winograd4: 0.8, winograd6: 0.95 } as const

function algorithmOf({ op, dims, params }: Node, largeTiles: boolean): Algorithm | undefined {
  if (op !== 'conv2d' || dims.kh !== 3 || dims.kw !== 3 || params.stride !== 1) return undefined
  const { direct, winograd4, winograd6 } = convolutionCosts(dims as unknown as ConvolutionSize)
  const most = worthwhile.winograd4 * direct
  if (largeTiles && winograd6 < worthwhile.winograd6 * Math.min(winograd4, most)) return 'winograd6'
  return winograd4 < most ? 'winograd4' : undefined
}

/** Gives every 3x3 convolution that gains by it Winograd's algorithm. */
export function chooseConvolutions(graph: Graph, { largeTiles = false }: ConvolutionOptions = {}): Graph {
  const nodes = graph.nodes.map((node) => {
    const algorithm = algorithmOf(node, largeTiles)
    return algorithm ? { ...node, params: { ...node.params, algorithm } } : node
  })
  return { ...graph, nodes }
}
