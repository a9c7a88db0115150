// What the innermost loops keep busy: of a processor the tensor cores, shared memory, the four schedulers that issue
// instructions, and what takes exponentials. The longest of the four bounds the loop; latencies come on top.

import { type Gpu, isGemm, tensorCoresFor, usesWarpgroups } from './gpus.ts'

/** One step of a block: 32 products along the depth of a GEMM, the keys of a step of attention. */
interface Loop {
  readonly warps: number
  /** Multiplications and additions of all warps. */
  readonly products: number
  /** Bytes of shared memory that they read for them, and that come into it. */
  readonly loaded: number
  readonly copied: number
  /**
   * Instructions of a warp, as `nvdisasm` shows them in the code for sm_80, of warpgroups for sm_90; a step
   * without moments of rows, and attention without hiding keys behind the last and, by warpgroups, without sums that
   * shrink, which its inner steps jump over.
   */
  readonly instructions: number
  readonly exponentials?: number
}

const depth = 32
const rowBytes = depth * 2

const gemm = (m: number, n: number, warpM: number, warpN: number, instructions: number): Loop => {
  const warps = (m / warpM) * (n / warpN)
  return {
    ...{ warps, products: m * n * depth, instructions },
    ...{ loaded: warps * (warpM + warpN) * rowBytes, copied: (m + n) * rowBytes },
  }
}

/**
 * Groups of four warps, for which tensor cores read B once for every 64 rows of A. A turn is a step of 64 products. One warp
 * more asks the copy engine for what comes, with some 60 instructions a turn.
 */
const warpgroupGemm = (m: number, n: number, instructionsOfTurn: number, groups = 1): Loop => ({
  ...{ warps: 4 * groups, products: m * n * depth, instructions: instructionsOfTurn / 2 },
  ...{ loaded: (m / 64) * (64 + n) * rowBytes, copied: (m + n) * rowBytes },
})

/** mma.sync m16n8k16 of a warp, and ldmatrix of four matrices; half as large ones count half. */
const attention = (
  head: number,
  queries: number,
  products: number,
  loads: number,
  instructions: number,
): Loop => ({
  ...{ warps: 4, products: 4 * products * 16 * 8 * 16, instructions, exponentials: queries * 64 },
  ...{ loaded: 4 * loads * 512, copied: 2 * 64 * head * 2 },
})

/** Two warpgroups, for which tensor cores read 64 queries, and all keys and values with their column of ones. */
const warpgroupAttention = (head: number, instructions: number): Loop => {
  const [queries, keys, queriesOfGroup] = [128, 128, 64]
  const [padded, columns] = [Math.ceil(head / 16) * 16, head + 8]
  return {
    ...{
      warps: 8,
      products: queries * keys * (padded + columns),
      instructions,
      exponentials: queries * keys,
    },
    loaded: (queries / queriesOfGroup) * 2 * ((queriesOfGroup + keys) * padded + keys * columns),
    copied: 2 * keys * head * 2,
  }
}

/** Where two warps of a sliced one multiply the same part, each half of a step of 64, they count as one in a step of 32. */
export const loops: Readonly<Record<string, Loop>> = {
  conv2d_128x160: gemm(128, 160, 64, 80, 307),
  conv2d_128x128: gemm(128, 128, 64, 64, 277),
  conv2d_64x128: gemm(64, 128, 64, 64, 287),
  conv2d_sliced_64x128: gemm(64, 128, 64, 64, 265),
  conv2d_64x64: gemm(64, 64, 32, 32, 133),
  linear_128x160: gemm(128, 160, 64, 80, 242),
  linear_128x128: gemm(128, 128, 64, 64, 201),
  linear_64x128: gemm(64, 128, 64, 64, 211),
  linear_sliced_64x128: gemm(64, 128, 64, 64, 199),
  linear_64x64: gemm(64, 64, 32, 32, 106),
  concat_linear_128x160: gemm(128, 160, 64, 80, 174),
  concat_linear_128x128: gemm(128, 128, 64, 64, 151),
  concat_linear_64x128: gemm(64, 128, 64, 64, 161),
  concat_linear_sliced_64x128: gemm(64, 128, 64, 64, 155),
  concat_linear_64x64: gemm(64, 64, 32, 32, 77),
  linear_geglu_128x160: gemm(128, 160, 64, 80, 243),
  linear_geglu_128x128: gemm(128, 128, 64, 64, 190),
  linear_geglu_64x128: gemm(64, 128, 64, 64, 200),
  linear_geglu_sliced_64x128: gemm(64, 128, 64, 64, 199),
  linear_geglu_64x64: gemm(64, 64, 32, 32, 106),
  attention_40_64: attention(40, 128, 80, 20, 579),
  attention_64_64: attention(64, 128, 128, 32, 690),
  attention_80_64: attention(80, 64, 80, 40, 493),
  attention_160_64: attention(160, 64, 160, 80, 850),
}

/** Where there is wgmma. */
const warpgroupLoops: Readonly<Record<string, Loop>> = {
  // Of pixels that are no whole boxes, by threads that copy and multiply: two steps of 32 make a turn.
  conv2d_128x160: warpgroupGemm(128, 160, 281),
  conv2d_128x128: warpgroupGemm(128, 128, 278),
  conv2d_64x128: warpgroupGemm(64, 128, 192),
  conv2d_64x64: warpgroupGemm(64, 64, 181),
  boxed_conv2d_128x160: warpgroupGemm(128, 160, 98),
  boxed_conv2d_paired_128x160: warpgroupGemm(128, 160, 92, 2),
  boxed_conv2d_128x128: warpgroupGemm(128, 128, 100),
  boxed_conv2d_64x160: warpgroupGemm(64, 160, 90),
  boxed_conv2d_64x128: warpgroupGemm(64, 128, 90),
  boxed_conv2d_64x64: warpgroupGemm(64, 64, 90),
  linear_128x160: warpgroupGemm(128, 160, 101),
  linear_paired_128x160: warpgroupGemm(128, 160, 99, 2),
  linear_128x128: warpgroupGemm(128, 128, 103),
  linear_64x160: warpgroupGemm(64, 160, 97),
  linear_64x128: warpgroupGemm(64, 128, 97),
  linear_64x64: warpgroupGemm(64, 64, 97),
  concat_linear_128x160: warpgroupGemm(128, 160, 98),
  concat_linear_paired_128x160: warpgroupGemm(128, 160, 92, 2),
  concat_linear_128x128: warpgroupGemm(128, 128, 100),
  concat_linear_64x160: warpgroupGemm(64, 160, 90),
  concat_linear_64x128: warpgroupGemm(64, 128, 90),
  concat_linear_64x64: warpgroupGemm(64, 64, 90),
  linear_geglu_128x160: warpgroupGemm(128, 160, 101),
  linear_geglu_paired_128x160: warpgroupGemm(128, 160, 94, 2),
  linear_geglu_128x128: warpgroupGemm(128, 128, 103),
  linear_geglu_64x160: warpgroupGemm(64, 160, 94),
  linear_geglu_64x128: warpgroupGemm(64, 128, 94),
  linear_geglu_64x64: warpgroupGemm(64, 64, 94),
  attention_40_128: warpgroupAttention(40, 400),
  attention_64_128: warpgroupAttention(64, 405),
  attention_80_128: warpgroupAttention(80, 482),
}

/** All that are known, on whichever GPU. */
export const loopNames: readonly string[] = [
  ...new Set([...Object.keys(loops), ...Object.keys(warpgroupLoops)]),
]

const loopOf = (kernel: string, gpu: Gpu): Loop | undefined =>
  gpu.warpgroups && usesWarpgroups(kernel) ? warpgroupLoops[kernel] : loops[kernel]

/** What shared memory hands out or takes in a cycle. */
const sharedBytes = 128
/**
 * The same for what `wgmma` reads: on an H200 its pipe was busy for 494 cycles of a step of 128x160x64, in which 94,208 bytes are
 * read or written (ncu's wavefronts of shared memory, of a convolution 2x64x64 640->640 whose threads copied; what its epilogue takes
 * is in them). Taken for granted is that the counter has what tensor cores read.
 */
const sharedBytesOfWarpgroups = 190
const schedulers = 4
const exponentialsPerCycle = 16
/** What widens fp16 sums and adds them, of a warp: four of each for two `mma.sync`. */
const promotions = 4
const productsOfMma = 16 * 8 * 16

/** Instructions of a warp for it, in a step of a GEMM by `mma.sync` in precision `fast`. */
const promotionsOf = ({ products, warps }: Loop, kernel: string, gpu: Gpu) =>
  gpu.isFast && !gpu.warpgroups && isGemm(kernel) ? (promotions * products) / productsOfMma / warps : 0

export interface Pipes {
  readonly tensor: number
  readonly shared: number
  readonly issue: number
  readonly exponentials: number
}

const sharedBytesOf = (kernel: string, gpu: Gpu) =>
  gpu.warpgroups && usesWarpgroups(kernel) ? sharedBytesOfWarpgroups : sharedBytes

/** Cycles of a processor for one step of a block, by what they are spent on; undefined where the loop is not known. */
export function pipesOf(kernel: string, gpu: Gpu): Pipes | undefined {
  const loop = loopOf(kernel, gpu)
  if (!loop) return undefined
  return {
    tensor: loop.products / tensorCoresFor(kernel, gpu).productsPerCycle,
    shared: (loop.loaded + loop.copied) / sharedBytesOf(kernel, gpu),
    issue: (loop.warps * (loop.instructions + promotionsOf(loop, kernel, gpu))) / schedulers,
    exponentials: (loop.exponentials ?? 0) / exponentialsPerCycle,
  }
}

/** How much longer a kernel's loop takes than its tensor cores; 1 where it is not known. */
export function slowdown(kernel: string, gpu: Gpu): number {
  const pipes = pipesOf(kernel, gpu)
  return pipes ? Math.max(...Object.values(pipes)) / pipes.tensor : 1
}

/** Whether tensor cores are what bounds the loop of a kernel; undefined for kernels without them. */
export function isTensorBound(kernel: string, gpu: Gpu): boolean | undefined {
  const pipes = pipesOf(kernel, gpu)
  return pipes && pipes.tensor >= Math.max(...Object.values(pipes))
}
