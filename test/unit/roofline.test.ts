// The model of the CUDA kernels' budgets, by hand.

import { describe, expect, it } from 'vitest'
import type { Gpu } from '../../bench/roofline/gpus.ts'
import { budgetOf, launchSeconds } from '../../bench/roofline/model.ts'
import type { Work } from '../../bench/roofline/work.ts'

const gpu: Gpu = {
  ...{ name: 'ten processors', architecture: 80, processors: 10, tensorTflops: 1, floatTflops: 0.1 },
  ...{ bandwidth: 1000, productsPerCycle: 512, l2Bytes: 1000 },
}
const nothing = { flop: 0, bytes: 0, rereadBytes: 0, partialBytes: 0, launches: 0, tiling: undefined }
const work = (part: Partial<Work>): Work => ({ ...nothing, node: {} as Work['node'], ...part })
const kernel = 'linear_64x64'

describe('budgetOf', () => {
  it('takes arithmetic or memory, whichever is longer', () => {
    const tiling = { kernel, blocks: 10, blockFlop: 1e11 }
    expect(budgetOf(gpu, work({ flop: 1e12, bytes: 5e11, tiling }))).toEqual({
      roofline: 1,
      tiled: 1,
      total: 1,
    })
    expect(budgetOf(gpu, work({ flop: 1e12, bytes: 2e12, tiling })).total).toBe(2)
  })
  it('counts whole waves, and what sticks out of the matrix', () => {
    const tiling = { kernel, blocks: 11, blockFlop: 1e11 }
    expect(budgetOf(gpu, work({ flop: 1e12, tiling }))).toEqual({ roofline: 1, tiled: 2, total: 2 })
  })
  it('takes as long as the loop, where shared memory bounds it', () => {
    // 64x64 in steps of 32 by warps of 32x32: 128 cycles of products, 192 of loads and copies.
    const fast = { ...gpu, productsPerCycle: 1024 }
    const tiling = { kernel, blocks: 10, blockFlop: 1e11 }
    expect(budgetOf(fast, work({ flop: 1e12, tiling }))).toEqual({ roofline: 1, tiled: 1.5, total: 1.5 })
  })
  it('lets warpgroups multiply as fast as tensor cores can, and read B once for 64 rows', () => {
    // 64x64 in steps of 32: 64 cycles of products, 86.2 of reads and copies; mma.sync would need 131.
    const hopper = {
      ...gpu,
      productsPerCycle: 1000,
      warpgroups: { tensorTflops: 2, productsPerCycle: 2048 },
    }
    const gemm = { kernel: 'linear_64x64', blocks: 10, blockFlop: 1e11 }
    const { roofline, total } = budgetOf(hopper, work({ flop: 1e12, tiling: gemm }))
    expect(roofline).toBe(0.5)
    expect(total).toBeCloseTo((0.5 * 16384) / 190 / 64, 12)
    const attention = (kernel: string) => {
      const tiling = { kernel, blocks: 10, blockFlop: 1e11 }
      return budgetOf(hopper, work({ flop: 1e12, tiling }))
    }
    // Heads of more than 80 channels are multiplied by mma.sync.
    expect(attention('attention_160_64').roofline).toBe(1)
    expect(attention('attention_40_128').roofline).toBe(0.5)
    // 128 queries and keys: 768 cycles of products, of 48 and 48 columns, and 1024 of exponentials.
    expect(attention('attention_40_128').total).toBeCloseTo((0.5 * 1024) / 768, 12)
  })
  it('computes without tensor cores where a kernel has none', () => {
    expect(budgetOf(gpu, work({ flop: 1e11 })).total).toBeCloseTo(1)
  })
  it('reads again what the cache does not hold', () => {
    expect(budgetOf(gpu, work({ bytes: 3000, rereadBytes: 1001 })).tiled).toBeCloseTo(4001e-12, 15)
    expect(budgetOf(gpu, work({ bytes: 3000, rereadBytes: 1000 })).tiled).toBeCloseTo(3000e-12, 15)
  })
  it('adds launches, and the sums of divided products', () => {
    expect(budgetOf(gpu, work({ launches: 2 })).total).toBe(2 * launchSeconds)
    expect(budgetOf(gpu, work({ bytes: 1e12, partialBytes: 1e12 })).tiled).toBe(2)
  })
})
