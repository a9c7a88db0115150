// linear at the shapes of the SD 1.5 UNet and text encoder, by Strassen's algorithm too where plans choose it. GFLOP/s count the
// products of the direct way.

import { type ProductSize, takesStrassen } from '../../lib/graph/choose-product.ts'
import { devices } from '../../lib/runtime/device.ts'
import type { KernelCase } from './case.ts'

const shapes = [
  [4096, 320, 320],
  [4096, 1280, 320],
  [4096, 2560, 320],
  [1024, 5120, 640],
  [64, 1280, 1280],
  [154, 3072, 768],
  [77, 320, 768],
  [2, 1280, 1280],
  [1, 1280, 320],
] as const

const algorithms = (shape: ProductSize) => (takesStrassen(shape) ? ['direct', 'strassen'] : ['direct'])

const linear = ([m, n, k]: (typeof shapes)[number], algorithm: string) =>
  ({
    name: `linear m=${m} ${k}->${n} f16${algorithm === 'direct' ? '' : ` ${algorithm}`}`,
    op: 'linear',
    dims: { m, n, k },
    params: { activation: 'none', algorithm },
    flop: 2 * m * n * k,
  }) as const

/** Where the CPU multiplies it. */
const inBf16 = (shape: (typeof shapes)[number]): KernelCase[] => {
  if (!devices()[0]!.bf16) return []
  const inFloat32 = linear(shape, 'direct')
  return [{ ...inFloat32, name: inFloat32.name.replace('f16', 'bf16'), matrices: 'bf16' }]
}

export const linearCases: readonly KernelCase[] = shapes.flatMap((shape) => {
  const [m, n, k] = shape
  return [...algorithms({ m, n, k }).map((algorithm) => linear(shape, algorithm)), ...inBf16(shape)]
})
