// linear at the shapes of the SD 1.5 UNet and text encoder.

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

export const linearCases: readonly KernelCase[] = shapes.map(([m, n, k]) => ({
  name: `linear m=${m} ${k}->${n} f16`,
  op: 'linear',
  dims: { m, n, k },
  params: { activation: 'none' },
  flop: 2 * m * n * k,
}))
