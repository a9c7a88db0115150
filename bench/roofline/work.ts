// What a node of a plan is for a GPU: arithmetic, traffic, and how its kernels cut it into blocks. Kernels, tiles and splits
// are what the host part of the CUDA kernels decides; it is asked, not imitated.

import type { Node } from '../../lib/graph/graph.ts'
import { opOf } from '../../lib/graph/ops.ts'
import { isVector } from '../../lib/graph/spec.ts'
import { device, type PlannedLaunch } from '../../test/ptx/device.ts'
import { encode, storedAs } from '../../test/ptx/run-op.ts'
import { flopOf, layersOf } from '../stages/flop.ts'
import type { Gpu } from './gpus.ts'

export interface Tiling {
  readonly kernel: string
  readonly blocks: number
  /** Of one block, with what sticks out of the matrix. */
  readonly blockFlop: number
}

export interface Work {
  readonly node: Node
  readonly flop: number
  /** Each operand once. */
  readonly bytes: number
  /** What is read a second time, from memory where the L2 cache does not hold it. */
  readonly rereadBytes: number
  /** Sums of divided products, written and read. */
  readonly partialBytes: number
  readonly launches: number
  /** Of kernels that use tensor cores. */
  readonly tiling: Tiling | undefined
}

const elementBytes = { f32: 4, i32: 4, u8: 1, element: 2 } as const

/** Bytes of all operands as the device keeps them: weights in half precision, but for vectors; four times four sums of nine taps. */
function bytesOf(node: Node): number {
  return Object.keys(node.operands).reduce((total, name) => {
    const { role, packing, dims } = opOf(node.op).operands[name]!
    const count = dims.reduce((product, dim) => product * node.dims[dim]!, 1)
    const isHalf = role === 'weight' && !isVector(packing)
    const kept = packing === 'quartered' ? (count * 16) / 9 : count
    return total + kept * (isHalf ? 2 : elementBytes[storedAs(node, name)])
  }, 0)
}

/** Rows, columns and depth of a matrix product, and how many there are of it. */
interface Matrix {
  readonly m: number
  readonly n: number
  readonly k: number
  readonly layers: number
}

function matrixOf({ op, dims: d, operands }: Node): Matrix {
  if (op === 'conv2d') return { m: d.n! * d.ho! * d.wo!, n: d.o!, k: d.c! * d.kh! * d.kw!, layers: 1 }
  if (op === 'upsampleConv2d') return { m: d.n! * d.h! * d.w!, n: d.o!, k: 4 * d.c!, layers: 4 }
  const layers = op === 'projections' ? layersOf(operands) : 1
  return { m: d.m!, n: op === 'linearGeglu' ? d.n2! : d.n!, k: d.k!, layers }
}

const depth = 32 // of a step of the GEMM

/** Of a GEMM, whose name ends in its tile. */
function gemmTiling(node: Node, { kernel, blocks }: PlannedLaunch): Tiling & { readonly splits: number } {
  const [tileM, tileN] = /_(\d+)x(\d+)$/.exec(kernel)!.slice(1).map(Number)
  const { m, n, k, layers } = matrixOf(node)
  const splits = blocks / (Math.ceil(m / tileM!) * Math.ceil(n / tileN!) * layers)
  const blockDepth = Math.ceil(Math.ceil(k / depth) / splits) * depth
  return { kernel, blocks, splits, blockFlop: 2 * tileM! * tileN! * blockDepth }
}

/** Of attention, whose name ends in channels of a head and keys of a step; the queries of a block are 64 or 128. */
function attentionTiling({ dims, params }: Node, { kernel, blocks }: PlannedLaunch): Tiling {
  // The one for the head of 512 has no keys in its name: 128 from sm_80 on.
  const [head, keys = 128] = kernel.split('_').slice(1).map(Number)
  const blocksOfHead = blocks / (dims.n! * (params.heads as number))
  const queries = Math.ceil(dims.lq! / 64) === blocksOfHead ? 64 : 128
  const allKeys = Math.ceil(dims.lk! / keys!) * keys!
  // Scores, then their sums over values.
  return { kernel, blocks, blockFlop: 2 * queries * allKeys * 2 * head! }
}

export function workOf(node: Node, gpu: Gpu): Work {
  const words = encode(node, new Map(Object.entries(node.operands)))
  const launches = device().launchesOf(gpu.architecture, gpu.processors, words, gpu.isFast)
  const { m, n, layers } = matrixOf(node)
  const gemm = launches.find(({ kernel }) => /_\d+x\d+$/.test(kernel))
  const attention = launches.find(({ kernel }) => /^attention_\d+/.test(kernel))
  const product = gemm && gemmTiling(node, gemm)
  return {
    node,
    flop: flopOf(node),
    bytes: bytesOf(node),
    // One launch keeps in shared memory what it has read.
    rereadBytes:
      /^(groupNorm|concatGroupNorm)$/.test(node.op) && launches.length > 1
        ? 2 * node.dims.n! * node.dims.hw! * node.dims.c!
        : 0,
    partialBytes: product && product.splits > 1 ? 8 * layers * m * n * product.splits : 0,
    launches: launches.length,
    tiling: product ?? (attention && attentionTiling(node, attention)),
  }
}
