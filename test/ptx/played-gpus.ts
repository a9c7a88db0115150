// The GPUs that run every case, and the ways in which one may.

import type { GpuPrecision } from '../../lib/runtime/target.ts'
import { lossOf } from '../../lib/selftest/fast-sums.ts'
import type { OpCase } from '../../lib/selftest/op-case.ts'
import { device } from './device.ts'
import { encodeCase, type PlayedGpu } from './run-op.ts'

/**
 * Different numbers of processors make the hosts choose different tiles and splits: each case is run with the first of them, and
 * with others that take other kernels for it. The code for 86 and 89 is that of 80.
 */
export const gpus = [
  { architecture: 75, processors: [1, 108], order: 'forward' },
  { architecture: 80, processors: [12, 1, 108], order: 'reverse' },
  { architecture: 86, processors: [1], order: 'random' },
  { architecture: 89, processors: [20], order: 'reverse' },
  { architecture: 90, processors: [2, 12, 132, 1, 3], order: 'random' },
  { architecture: 120, processors: [170, 1], order: 'forward' },
] as const

/** How each GPU of an architecture runs a case, by the kernels that it takes. */
export function variantsOf(gpu: (typeof gpus)[number], c: OpCase, precision: GpuPrecision) {
  const words = encodeCase(c)
  const variants = new Map<string, PlayedGpu>()
  for (const processors of gpu.processors) {
    const launches = device().launchesOf(gpu.architecture, processors, words, precision === 'fast')
    const kernels = launches.map(({ kernel }) => kernel).join(' ')
    if (!variants.has(kernels)) variants.set(kernels, { ...gpu, processors })
  }
  return variants
}

/**
 * Those in which a case is run: where weights have a type, in that (and those with fp16 weights with sums in fp16 as well), all
 * others in both types of elements.
 */
export function precisionsOf({ op, dtype }: OpCase): readonly GpuPrecision[] {
  if (dtype === undefined) return ['f16', 'bf16']
  if (dtype === 'bf16') return ['bf16']
  return dtype === 'f16' && lossOf(op, 'fast') > 0 ? ['f16', 'fast'] : ['f16']
}

/** Whether there are kernels of its own for it: sm_75 has no bf16, and on Hopper `fast` is f16 (fast.test.ts). */
export const hasPrecision = (architecture: number, precision: GpuPrecision) =>
  precision === 'bf16' ? architecture >= 80 : precision !== 'fast' || architecture !== 90
