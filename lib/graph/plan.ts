// All passes in order: a traced graph becomes the plan that the addon compiles.

import { chooseConvolutions } from './choose-convolution.ts'
import { chooseProducts } from './choose-product.ts'
import { contractInPlace } from './contract-in-place.ts'
import { elideConcats } from './elide-concats.ts'
import { encode } from './encode.ts'
import { foldNorms } from './fold-norms.ts'
import { fuse } from './fuse.ts'
import type { Graph } from './graph.ts'
import { joinLayers } from './join-layers.ts'
import { type HalfPrecision, lowerPrecision } from './lower-precision.ts'
import { measureChannels } from './measure-channels.ts'
import { multiplyInBf16 } from './multiply-in-bf16.ts'
import { normalizeOnLoad } from './normalize-on-load.ts'
import { planMemory } from './plan-memory.ts'
import { shareCopies } from './share-copies.ts'
import { sumTaps } from './sum-taps.ts'
import { verify } from './verify.ts'

/**
 * Each optimisation can be switched off; results stay the same, but for rounding by `winograd`, `strassen`, `sumTaps`, `foldNorms`,
 * `measureChannels`, `multiplyInBf16`, and by `contractInPlace` where a contraction would have gone by Strassen's algorithm.
 */
export interface PassOptions {
  readonly shareCopies?: boolean
  readonly fuse?: boolean
  /** Gated linear layers in one op. */
  readonly fuseGeglu?: boolean
  readonly winograd?: boolean
  /** Off where it is not asked for: Winograd's algorithm with tiles of 6x6 too, for CPUs where it was measured to gain. */
  readonly largeTiles?: boolean
  readonly strassen?: boolean
  readonly normalizeOnLoad?: boolean
  /** Off where it is not asked for: for CPUs, whose convolutions can. */
  readonly measureChannels?: boolean
  /** Off where it is not asked for: for CPUs, whose kernels can. */
  readonly contractInPlace?: boolean
  /** Off where it is not asked for: for CPUs that multiply it faster. */
  readonly multiplyInBf16?: boolean
  /** Off where it is not asked for: for GPUs, whose kernels can. */
  readonly sumTaps?: boolean
  /** Off where it is not asked for: fewer launches are for GPUs. */
  readonly joinLayers?: boolean
  /** Off where it is not asked for: for GPUs, whose kernels can. */
  readonly elideConcats?: boolean
  /** Off where it is not asked for: GPUs alone gain by it. */
  readonly foldNorms?: boolean
  readonly reuseMemory?: boolean
  /** What a device computes in that does not compute in float32. */
  readonly precision?: HalfPrecision
}

export interface Plan {
  readonly graph: Graph
  readonly arenaBytes: number
  readonly words: ArrayBuffer
}

export function makePlan(
  traced: Graph,
  weightIndex: (name: string) => number,
  options: PassOptions = {},
): Plan {
  let graph = verify(traced)
  const run = (pass: (graph: Graph) => Graph) => {
    graph = verify(pass(graph), graph)
  }
  if (options.shareCopies !== false) run(shareCopies)
  if (options.fuse !== false) {
    run((whole) => fuse(whole, { except: options.fuseGeglu === false ? ['geglu'] : [] }))
  }
  if (options.winograd !== false) {
    run((whole) => chooseConvolutions(whole, { largeTiles: options.largeTiles === true }))
  }
  if (options.strassen !== false) run(chooseProducts)
  if (options.normalizeOnLoad !== false) run(normalizeOnLoad)
  if (options.contractInPlace) run(contractInPlace)
  if (options.measureChannels) run(measureChannels)
  if (options.multiplyInBf16) run(multiplyInBf16)
  if (options.sumTaps) run(sumTaps)
  if (options.elideConcats) run(elideConcats)
  if (options.joinLayers) run(joinLayers)
  if (options.foldNorms) run(foldNorms)
  const { precision } = options
  if (precision) run((whole) => lowerPrecision(whole, precision))
  const memory = planMemory(graph, { reuse: options.reuseMemory ?? true })
  return { graph, arenaBytes: memory.arenaBytes, words: encode(graph, memory, weightIndex) }
}
