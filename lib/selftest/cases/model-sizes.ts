// Ops as large as those of SD 1.5 at 512x512, guided: for these a GPU takes the kernels that make its pictures, most of which
// are for more rows and columns than any case has that a reference can afford. What is right the CPU says.

import type { OpCase } from '../op-case.ts'
import { conv } from './conv2d.ts'
import { enlarged } from './upsample-conv2d.ts'

const large = (c: OpCase): OpCase => ({ ...c, isLarge: true })

const linear = (m: number, n: number, k: number): OpCase => ({
  ...{ op: 'linear', dims: { m, n, k }, given: ['bias', 'residual'], dtype: 'f16' },
  params: { activation: 'none' },
})

/** Queries, keys and values of normalised rows. */
const joined = (m: number, n: number): OpCase => ({
  ...{ op: 'projections', dims: { m, n, k: n }, dtype: 'f16' },
  params: { eps: 1e-5, activation: 'none' },
  given: ['w1', 'y1', 'w2', 'y2', 'gamma', 'beta'],
})

const gated = (m: number, n: number, k: number): OpCase => ({
  ...{ op: 'linearGeglu', dims: { m, n, n2: 2 * n, k }, dtype: 'f16' },
  params: { eps: 1e-5 },
  given: ['bias', 'gamma', 'beta'],
})

/** A shortcut of two values side by side. */
const shortcut = (m: number, n: number, ca: number, cb: number): OpCase => ({
  ...{ op: 'concatLinear', dims: { m, n, ca, cb, k: ca + cb }, dtype: 'f16' },
  given: ['bias', 'residual'],
})

const convolution = (n: number, side: number, c: number, o: number, more: object = {}): OpCase =>
  conv({ n, h: side, w: side, c, o, k: 3, pad: 1, dtype: 'f16', given: ['bias', 'residual'], ...more })

const upsampling = (n: number, side: number, c: number, o: number): OpCase =>
  enlarged({ n, h: side, w: side, c, o })

const attention = (n: number, heads: number, d: number, lq: number, lk: number): OpCase => ({
  ...{ op: 'attention', dims: { n, lq, lk, c: heads * d } },
  params: { heads, scale: 1 / Math.sqrt(d), mask: 'none', arithmetic: 'f32' },
})

const groupNorm = (n: number, side: number, c: number): OpCase => ({
  ...{ op: 'groupNorm', dims: { n, hw: side * side, c } },
  params: { groups: 32, eps: 1e-5, activation: 'silu' },
})

const groupNormOfTwo = (n: number, side: number, ca: number, cb: number): OpCase => ({
  ...groupNorm(n, side, ca + cb),
  ...{ op: 'concatGroupNorm', dims: { n, hw: side * side, ca, cb, c: ca + cb } },
})

export const modelSizes: readonly OpCase[] = [
  ...[linear(8192, 320, 320), linear(4096, 1280, 320), linear(16_384, 512, 256)],
  ...[linear(2048, 640, 640), linear(512, 1280, 1280), linear(512, 1280, 5120), linear(154, 320, 768)],
  ...[joined(8192, 320), joined(2048, 640), joined(512, 1280)],
  ...[gated(8192, 1280, 320), gated(2048, 2560, 640), gated(512, 5120, 1280), gated(128, 5120, 1280)],
  ...[convolution(2, 64, 320, 320), convolution(2, 32, 640, 640), convolution(2, 16, 1280, 1280)],
  ...[convolution(2, 8, 1280, 1280), convolution(2, 64, 640, 320), convolution(2, 64, 128, 640)],
  ...[convolution(2, 64, 320, 320, { stride: 2 }), upsampling(2, 16, 640, 640)],
  ...[shortcut(8192, 320, 640, 320), shortcut(2048, 640, 1280, 640), shortcut(2048, 640, 640, 320)],
  ...[shortcut(512, 1280, 1280, 640), shortcut(128, 1280, 1280, 1280)],
  // Of the decoder.
  ...[convolution(1, 64, 512, 512), convolution(1, 96, 128, 256), convolution(1, 96, 128, 640)],
  ...[convolution(1, 64, 4, 512), upsampling(1, 64, 64, 256)],
  ...[upsampling(2, 32, 64, 640), upsampling(1, 64, 64, 320)],
  convolution(1, 128, 512, 256),
  ...[attention(2, 8, 40, 4096, 4096), attention(2, 8, 40, 4096, 77), attention(2, 8, 80, 1024, 1024)],
  ...[attention(2, 8, 160, 256, 256), attention(1, 1, 512, 4096, 4096)],
  groupNormOfTwo(2, 64, 640, 320),
  ...[groupNorm(2, 64, 320), groupNorm(2, 64, 640), groupNorm(2, 16, 2560), groupNorm(1, 256, 128)],
].map(large)
