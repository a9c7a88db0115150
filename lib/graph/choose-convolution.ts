// Which algorithm each convolution takes: arithmetic weighed against transforms.

import type { Graph, Node } from './graph.ts'

/** The sizes that the choice depends on, as in the `conv2d` entry of the op table. */
export interface ConvolutionSize {
  readonly n: number
  readonly ho: number
  readonly wo: number
  readonly c: number
  readonly o: number
  readonly stride: number
  readonly upsample: number
}

interface Tiles {
  /** Side of an output tile. */
  readonly side: number
  /** Pixels of the first one that lie outside, before a picture with a border of one. */
  readonly lead?: number
  /** Products of one, for each channel in and out. */
  readonly points: number
  /** Tiles that share one transform of the weights: at least, in kernels/cpu/winograd.cc. */
  readonly group: number
  /**
   * What a transform costs, in products of the matrix multiplication: of one weight (o, c), of one channel of a patch,
   * and of one channel of an output tile. For tiles of 4x4 fitted to timings on AVX2, for others as many times as much as they
   * have operations.
   */
  readonly weightCost: number
  readonly patchCost: number
  readonly outputCost: number
}

const small: Tiles = { side: 4, points: 36, group: 126, weightCost: 90, patchCost: 140, outputCost: 150 }
const strided: Tiles = { side: 4, points: 81, group: 98, weightCost: 100, patchCost: 280, outputCost: 250 }
const large: Tiles = { side: 6, points: 64, group: 126, weightCost: 160, patchCost: 400, outputCost: 560 }
const enlarged: Tiles = {
  ...{ side: 6, lead: 1, points: 49, group: 126 },
  ...{ weightCost: 90, patchCost: 40, outputCost: 190 },
}

type Algorithm = 'direct' | 'winograd4' | 'winograd6'

function winogradCost({ n, ho, wo, c, o }: ConvolutionSize, tiles: Tiles): number {
  const { side, lead = 0, points, group, weightCost, patchCost, outputCost } = tiles
  const count = n * Math.ceil((ho + lead) / side) * Math.ceil((wo + lead) / side)
  return (
    count * (points * c * o + patchCost * c + outputCost * o) + Math.ceil(count / group) * weightCost * c * o
  )
}

/**
 * Products that a direct 3x3 convolution of stride 1 or 2 takes, and what Winograd's algorithm takes with its transforms: by tiles
 * of 4x4, and by those of 6x6, which are for stride 1 and take fewer of an enlarged picture.
 */
export function convolutionCosts(size: ConvolutionSize): Readonly<Record<Algorithm, number>> {
  const { n, ho, wo, c, o, stride, upsample } = size
  return {
    direct: 9 * n * ho * wo * c * o,
    winograd4: winogradCost(size, stride === 1 ? small : strided),
    winograd6:
      stride === 1 ? winogradCost(size, upsample === 2 ? enlarged : large) : Number.POSITIVE_INFINITY,
  }
}

export interface ConvolutionOptions {
  /** F(6x6, 3x3) too: for kernels whose registers and caches hold what its larger tiles take. */
  readonly largeTiles?: boolean
}

/** What an algorithm may cost of the one before it, which is more exact. */
const worthwhile = { winograd4: 0.8, winograd6: 0.95 } as const

function algorithmOf({ op, dims, params }: Node, largeTiles: boolean): Algorithm | undefined {
  const stride = params.stride as number
  const upsample = params.upsample as number
  if (op !== 'conv2d' || dims.kh !== 3 || dims.kw !== 3 || stride > 2) return undefined
  const size = { ...dims, stride, upsample } as unknown as ConvolutionSize
  const { direct, winograd4, winograd6 } = convolutionCosts(size)
  const most = worthwhile.winograd4 * direct
  // Tiles that enlarge take little memory, and are the most exact of all.
  if (upsample === 2 && winograd6 < Math.min(winograd4, most)) return 'winograd6'
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
