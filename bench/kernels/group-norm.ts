// Group norms of the UNet and the VAE at 512x512: two reads and a write of every element.
// usage: tsx bench/kernels/group-norm.ts [--threads 1]

import { measureOps, type OpBench } from './op.ts'

const groupNorm = (n: number, hw: number, c: number, activation: string): OpBench => ({
  ...{ name: `group_norm n=${n} hw=${hw} c=${c} ${activation}`, op: 'groupNorm' },
  ...{ dims: { n, hw, c }, params: { groups: 32, eps: 1e-5, activation } },
  work: (12 * n * hw * c) / 1e9,
})

const shapes = [
  [2, 4096, 320],
  [2, 1024, 640],
  [2, 256, 1280],
  [2, 64, 1280],
  [1, 262144, 128],
] as const
await measureOps(
  'GB/s',
  shapes.flatMap(([n, hw, c]) => ['none', 'silu'].map((activation) => groupNorm(n, hw, c, activation))),
)
