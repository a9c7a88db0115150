// Attention at the shapes of Stable Diffusion 1.5 and 2.1 at 512x512, guided, and of the VAE.

import { devices } from '../../lib/runtime/device.ts'
import type { KernelCase } from './case.ts'

const attention = (n: number, heads: number, d: number, lq: number, lk: number): KernelCase => ({
  name: `attention n=${n} h=${heads} d=${d} lq=${lq} lk=${lk}`,
  op: 'attention',
  dims: { n, lq, lk, c: heads * d },
  params: { heads, scale: 1 / Math.sqrt(d), mask: 'none', arithmetic: 'f32' },
  flop: 4 * n * heads * lq * lk * d,
})

const inFloat32: readonly KernelCase[] = [
  ...[attention(2, 8, 40, 4096, 4096), attention(2, 8, 80, 1024, 1024), attention(2, 8, 160, 256, 256)],
  ...[attention(2, 8, 160, 64, 64), attention(2, 5, 64, 4096, 4096)],
  ...[attention(2, 8, 40, 4096, 77), attention(2, 8, 80, 1024, 77), attention(2, 8, 160, 256, 77)],
  ...[attention(2, 12, 64, 77, 77), attention(1, 1, 512, 4096, 4096)],
]

/** Where the CPU multiplies it. */
const inBf16 = inFloat32.map(
  (one): KernelCase => ({
    ...one,
    name: `${one.name} bf16`,
    params: { ...one.params, arithmetic: 'bf16' },
  }),
)

export const attentionCases: readonly KernelCase[] = [...inFloat32, ...(devices()[0]!.bf16 ? inBf16 : [])]
