// What the innermost loops keep busy: of a processor the tensor cores, shared memory, and the four schedulers that issue
// instructions. The longest of the three bounds the loop; latencies come on top.

import type { Gpu } from './gpus.ts'

/** One step of a block: 32 products along the depth of a GEMM, the keys of a step of attention. */
interface Loop {
  readonly warps: number
  /** mma.sync m16n8k16 of a warp, and ldmatrix of four matrices; half as large ones count half. */
  readonly products: number
  readonly loads: number
  /** Bytes that come into shared memory. */
  readonly copied: number
  /**
   * Instructions of a warp, as `nvdisasm` shows them in the code for sm_80; attention without those that
   * hide keys behind the last, which its inner steps jump over.
   */
  readonly instructions: number
}

const gemm = (m: number, n: number, warpM: number, warpN: number, instructions: number): Loop => ({
  warps: (m / warpM) * (n / warpN),
  products: (warpM / 16) * (warpN / 8) * 2,
  loads: ((warpM + warpN) / 16) * 2,
  copied: (m + n) * 64,
  instructions,
})
const attention = (head: number, products: number, loads: number, instructions: number): Loop => ({
  ...{ warps: 4, products, loads, copied: 2 * 64 * head * 2, instructions },
})

export const loops: Readonly<Record<string, Loop>> = {
  conv2d_128x160: gemm(128, 160, 64, 80, 330),
  conv2d_128x128: gemm(128, 128, 64, 64, 292),
  conv2d_64x128: gemm(64, 128, 64, 64, 313),
  conv2d_64x64: gemm(64, 64, 32, 32, 148),
  linear_128x160: gemm(128, 160, 64, 80, 208),
  linear_128x128: gemm(128, 128, 64, 64, 188),
  linear_64x128: gemm(64, 128, 64, 64, 209),
  linear_64x64: gemm(64, 64, 32, 32, 92),
  linear_geglu_128x160: gemm(128, 160, 64, 80, 208),
  linear_geglu_128x128: gemm(128, 128, 64, 64, 186),
  linear_geglu_64x128: gemm(64, 128, 64, 64, 207),
  linear_geglu_64x64: gemm(64, 64, 32, 32, 87),
  attention_40_64: attention(40, 80, 20, 579),
  attention_64_64: attention(64, 128, 32, 690),
  attention_80_64: attention(80, 80, 40, 493),
  attention_160_64: attention(160, 160, 80, 850),
}

const productsOfMma = 16 * 8 * 16
const bytesOfWavefront = 128
const bytesOfLoad = 512
const schedulers = 4
/** What widens fp16 sums and adds them, of a warp: four of each for two products. */
const promotions = 4

export interface Pipes {
  readonly tensor: number
  readonly shared: number
  readonly issue: number
}

/** Cycles of a processor for one step of a block, by what they are spent on. */
export function pipesOf({ warps, products, loads, copied, instructions }: Loop, gpu: Gpu): Pipes {
  return {
    tensor: (warps * products * productsOfMma) / gpu.productsPerCycle,
    shared: (warps * loads * bytesOfLoad + copied) / bytesOfWavefront,
    issue: (warps * (instructions + (gpu.isFast ? promotions * products : 0))) / schedulers,
  }
}

/** How much longer a kernel's loop takes than its tensor cores; 1 where it is not known. */
export function slowdown(kernel: string, gpu: Gpu): number {
  const loop = loops[kernel]
  if (!loop) return 1
  const { tensor, shared, issue } = pipesOf(loop, gpu)
  return Math.max(tensor, shared, issue) / tensor
}

/** Whether tensor cores are what bounds the loop of a kernel; undefined for kernels without them. */
export function isTensorBound(kernel: string, gpu: Gpu): boolean | undefined {
  const loop = loops[kernel]
  if (!loop) return undefined
  const { tensor, shared, issue } = pipesOf(loop, gpu)
  return tensor >= Math.max(shared, issue)
}
