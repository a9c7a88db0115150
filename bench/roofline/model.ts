// How long an op takes if nothing but arithmetic, memory and launches took time. No kernel reaches it: latencies, barriers
// and instructions around the products are left out.

import { type Gpu, tensorCoresFor } from './gpus.ts'
import { slowdown } from './pipes.ts'
import type { Work } from './work.ts'

/** From one kernel of a CUDA graph to the next: an assumption, of the order of what is reported for straight-line graphs. */
export const launchSeconds = 1.2e-6

export interface Budget {
  /** Of arithmetic and memory, whichever takes longer, as if the GPU was one piece. */
  readonly roofline: number
  /** With products of tiles that stick out, processors that have none in the last wave, and loops that shared memory or issue bound. */
  readonly tiled: number
  /** And with launches. */
  readonly total: number
}

const rate = (gpu: Gpu, { tiling }: Work) =>
  1e12 * (tiling ? tensorCoresFor(tiling.kernel, gpu).tensorTflops : gpu.floatTflops)

/** Arithmetic of all waves: the busiest processor does as many blocks as any. */
function tiledFlop(gpu: Gpu, { tiling, flop }: Work): number {
  if (!tiling) return flop
  return Math.ceil(tiling.blocks / gpu.processors) * gpu.processors * tiling.blockFlop
}

/** Seconds. */
export function budgetOf(gpu: Gpu, work: Work): Budget {
  const again = work.rereadBytes > gpu.l2Bytes ? work.rereadBytes : 0
  const memory = (work.bytes + again) / (gpu.bandwidth * 1e9)
  const roofline = Math.max(work.flop / rate(gpu, work), work.bytes / (gpu.bandwidth * 1e9))
  const tiled = Math.max(
    (tiledFlop(gpu, work) / rate(gpu, work)) * (work.tiling ? slowdown(work.tiling.kernel, gpu) : 1),
    memory + work.partialBytes / (gpu.bandwidth * 1e9),
  )
  return { roofline, tiled, total: tiled + work.launches * launchSeconds }
}
