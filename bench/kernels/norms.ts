// Group and layer norms of the UNet and the VAE at 512x512: bound by memory, so no operations are counted.

import type { KernelCase } from './case.ts'

const groupNorm = (n: number, hw: number, c: number, activation: string): KernelCase => ({
  name: `group_norm n=${n} hw=${hw} c=${c} ${activation}`,
  op: 'groupNorm',
  dims: { n, hw, c },
  params: { groups: 32, eps: 1e-5, activation },
  flop: 0,
})

const layerNorm = (m: number, c: number): KernelCase => ({
  name: `layer_norm m=${m} c=${c}`,
  op: 'layerNorm',
  dims: { m, c },
  params: { eps: 1e-5 },
  flop: 0,
})

const planes = [
  [2, 4096, 320],
  [2, 1024, 640],
  [2, 256, 1280],
  [2, 64, 1280],
  [1, 262144, 128],
] as const

export const normCases: readonly KernelCase[] = [
  ...planes.flatMap(([n, hw, c]) => ['none', 'silu'].map((activation) => groupNorm(n, hw, c, activation))),
  ...[layerNorm(8192, 320), layerNorm(2048, 640), layerNorm(512, 1280), layerNorm(154, 768)],
]
