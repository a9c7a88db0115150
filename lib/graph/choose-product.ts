// Which algorithm each product of matrices takes: an eighth of the products weighed against the additions that spare it.

import type { Graph, Node } from './graph.ts'
import { strassenFault } from './ops/linear.ts'

/** An (m, k) matrix times the transpose of an (n, k) one. */
export interface ProductSize {
  readonly m: number
  readonly n: number
  readonly k: number
}

/** The most rows and columns that are multiplied together: kernels/cpu/gemm_tasks.h may divide them further. */
const mostRows = 168
const mostColumns = 640
/**
 * What the additions cost, in products: for each copy of an element of A, for each widening of a weight, for each sum.
 * Fitted to timings with AVX2 and AVX-512.
 */
const rowCost = 4
const weightCost = 6
const sumCost = 10
/** The direct product stays where the gain would be small: it is the more exact one. */
const worthwhile = 0.97

/** Products that the direct way takes, and what Strassen's algorithm takes with its additions. */
export function productCosts({ m, n, k }: ProductSize): {
  readonly direct: number
  readonly strassen: number
} {
  const direct = m * n * k
  const rows = rowCost * m * k * Math.ceil(n / mostColumns)
  const weights = weightCost * n * k * Math.ceil(m / mostRows)
  return { direct, strassen: (7 / 8) * direct + rows + weights + sumCost * m * n }
}

function sizeOf({ op, dims, params }: Node): ProductSize | undefined {
  const { m, n, k, n2 } = dims
  if (op === 'linear') return { m: m!, n: n!, k: k! }
  if (op === 'linearGeglu') return { m: m!, n: n2!, k: k! }
  if (op !== 'conv2d' || params.algorithm !== 'direct') return undefined
  return { m: n! * dims.ho! * dims.wo!, n: dims.o!, k: dims.kh! * dims.kw! * dims.c! }
}

export function takesStrassen(size: ProductSize): boolean {
  if (strassenFault(size.n, size.k) !== undefined) return false
  const { direct, strassen } = productCosts(size)
  return strassen < worthwhile * direct
}

/** Gives every linear layer and every direct convolution that gains by it Strassen's algorithm. */
export function chooseProducts(graph: Graph): Graph {
  const nodes = graph.nodes.map((node) => {
    const size = sizeOf(node)
    return size && takesStrassen(size) ? { ...node, params: { ...node.params, algorithm: 'strassen' } } : node
  })
  return { ...graph, nodes }
}
