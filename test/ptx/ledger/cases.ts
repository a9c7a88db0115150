// The ops that the ledger is about: small ones that are run and counted, and others that are only planned, so that there
// is a launch of every kernel.

import type { OpCase } from '../../kernels/harness.ts'

const linear = (m: number, n: number, k: number, given: readonly string[] = ['bias']): OpCase => ({
  ...{ op: 'linear', dims: { m, n, k }, params: { activation: 'none' }, given },
})

const projections = (m: number, n: number, k: number, norm: readonly string[] = []): OpCase => ({
  ...{ op: 'projections', dims: { m, n, k }, given: ['w1', 'y1', 'w2', 'y2', ...norm] },
  params: { eps: 1e-5, activation: 'none' },
})

const concatLinear = (m: number, ca: number, cb: number, n: number): OpCase => ({
  ...{ op: 'concatLinear', dims: { m, n, ca, cb, k: ca + cb }, given: ['bias', 'residual'] },
})

const geglu = (m: number, n2: number, k: number): OpCase => ({
  ...{ op: 'linearGeglu', dims: { m, n: n2 / 2, n2, k }, given: ['bias'] },
})

/** 3x3, as big as it was. */
const conv2d = (n: number, side: number, c: number, o: number, given: readonly string[]): OpCase => ({
  ...{ op: 'conv2d', dims: { n, h: side, w: side, c, ho: side, wo: side, o, kh: 3, kw: 3, rows: n }, given },
  params: {
    ...{ stride: 1, padTop: 1, padLeft: 1, padBottom: 1, padRight: 1, upsample: 1 },
    ...{
      activation: 'none',
      inputActivation: 'silu',
      algorithm: given.includes('mean') ? 'winograd4' : 'direct',
    },
  },
})

/** The same, as if every pixel was four: what threads gather on Hopper too. */
const enlarged = (n: number, side: number, c: number, o: number): OpCase => {
  const { dims, params, ...rest } = conv2d(n, side, c, o, ['bias'])
  return { ...rest, dims: { ...dims, ho: 2 * side, wo: 2 * side }, params: { ...params, upsample: 2 } }
}

const attention = (heads: number, head: number, lq: number, lk: number): OpCase => ({
  ...{ op: 'attention', dims: { n: 1, lq, lk, c: heads * head } },
  params: { heads, scale: 1 / Math.sqrt(head), mask: 'none', arithmetic: 'f32' },
})

const groupNorm = (hw: number, c: number): OpCase => ({
  ...{ op: 'groupNorm', dims: { n: 2, hw, c } },
  params: { groups: c % 32 === 0 ? 32 : 3, eps: 1e-5, activation: 'silu' },
})

const groupFactors = (hw: number, c: number): OpCase => ({
  ...{ op: 'groupFactors', dims: { n: 2, hw, c }, given: ['x'] },
  params: { groups: 32, eps: 1e-5 },
})

const layerNorm = (m: number, c: number): OpCase => ({
  ...{ op: 'layerNorm', dims: { m, c }, params: { eps: 1e-5 } },
})

const schedulerStep = (count: number, depth: number): OpCase => ({
  ...{ op: 'schedulerStep', dims: { count, copies: 2, width: 10 + depth, depth } },
  given: ['history', 'noise', 'newHistory'],
})

const matchTokens = (side: number, c: number): OpCase => ({
  ...{ op: 'matchTokens', dims: { n: 1, h: side, w: side, c, windows: side ** 2 / 4, kept: side ** 2 / 2 } },
  inputs: { corners: new Int32Array(side ** 2 / 4) },
})

export interface CountedLaunch {
  readonly name: string
  readonly op: OpCase
  /** Few processors make the hosts choose large tiles, many make them share the products of one. */
  readonly processors: number
}

/** What a UNet step consists of, in sizes that are interpreted in seconds. */
export const counted: readonly CountedLaunch[] = [
  {
    name: 'conv2d 2x16x16 64->160',
    op: conv2d(2, 16, 64, 160, ['bias', 'rowBias', 'residual']),
    processors: 1,
  },
  { name: 'conv2d 8x8 320->64, divided', op: conv2d(1, 8, 320, 64, ['bias']), processors: 108 },
  // 40 channels are no whole boxes.
  { name: 'conv2d 8x8 40->64, divided', op: conv2d(1, 8, 40, 64, ['bias']), processors: 108 },
  { name: 'linear 256 320->320', op: linear(256, 320, 320, ['bias', 'residual']), processors: 1 },
  { name: 'linear 64 1280->128, divided', op: linear(64, 128, 1280), processors: 108 },
  { name: 'linear 64 640->128, sliced', op: linear(64, 128, 640, ['bias', 'residual']), processors: 1 },
  { name: 'linear 128 320->3x320', op: projections(128, 320, 320), processors: 1 },
  {
    name: 'linear 128 320->3x320, normed',
    op: projections(128, 320, 320, ['gamma', 'beta']),
    processors: 1,
  },
  { name: 'geglu 128 160->320', op: geglu(128, 640, 160), processors: 1 },
  { name: 'attention 256 over 256, heads of 40', op: attention(2, 40, 256, 256), processors: 108 },
  { name: 'attention 256 over 77, heads of 40', op: attention(2, 40, 256, 77), processors: 108 },
  { name: 'attention 256 over 256, heads of 64', op: attention(2, 64, 256, 256), processors: 108 },
  { name: 'attention 128 over 128, heads of 160', op: attention(2, 160, 128, 128), processors: 108 },
  { name: 'attention 64 over 256, head of 512', op: attention(1, 512, 64, 256), processors: 108 },
  { name: 'groupNorm 2x256x320', op: groupNorm(256, 320), processors: 108 },
  { name: 'groupFactors 2x256x320', op: groupFactors(256, 320), processors: 108 },
  { name: 'layerNorm 128x320', op: layerNorm(128, 320), processors: 108 },
  { name: 'matchTokens 24x24x320', op: matchTokens(24, 320), processors: 108 },
  { name: 'schedulerStep 4096', op: schedulerStep(4096, 1), processors: 108 },
]

const of = (op: OpCase['op'], dims: OpCase['dims'], rest: Partial<OpCase> = {}): OpCase => ({
  op,
  dims,
  ...rest,
})

/** With `counted`, these launch every kernel on an A100 and on an H100. */
export const planned: readonly OpCase[] = [
  ...[linear(8192, 320, 320), linear(8192, 512, 512), linear(8192, 77, 77), linear(77, 768, 768)],
  ...[
    geglu(8192, 2560, 320),
    geglu(16384, 1024, 512),
    geglu(128, 10240, 1280),
    geglu(64, 512, 77),
    geglu(64, 512, 1280),
  ],
  ...[linear(512, 1280, 1280), geglu(512, 5120, 640), conv2d(2, 8, 1280, 1280, ['bias'])],
  ...[concatLinear(16_384, 640, 640, 320), concatLinear(16_384, 64, 64, 512), concatLinear(64, 64, 64, 64)],
  ...[concatLinear(16_384, 128, 128, 128), concatLinear(2048, 640, 640, 640), concatLinear(128, 64, 64, 320)],
  ...[conv2d(2, 64, 320, 320, ['bias']), conv2d(1, 256, 128, 128, ['bias']), conv2d(2, 8, 64, 64, ['bias'])],
  conv2d(2, 16, 1280, 1280, ['bias']),
  ...[conv2d(2, 32, 640, 640, ['bias']), conv2d(2, 64, 640, 640, ['bias'])],
  ...[
    enlarged(2, 32, 640, 640),
    enlarged(1, 64, 512, 512),
    enlarged(2, 4, 1280, 1280),
    enlarged(1, 2, 640, 640),
  ],
  ...[linear(2048, 640, 640), linear(512, 1280, 5120), linear(8192, 320, 1280), geglu(128, 5120, 320)],
  ...[
    concatLinear(8192, 640, 320, 320),
    concatLinear(512, 1280, 1280, 1280),
    concatLinear(2048, 1280, 640, 640),
  ],
  conv2d(2, 8, 2560, 1280, ['bias']),
  conv2d(2, 64, 320, 320, ['mean', 'factor', 'shift']),
  ...[64, 80, 96, 128, 160].flatMap((head) => [attention(8, head, 1024, 1024), attention(8, head, 1024, 77)]),
  ...[attention(1, 512, 4096, 4096), attention(1, 24, 64, 64)],
  ...[groupNorm(64, 9), groupNorm(64, 30), groupNorm(64, 640), groupNorm(64, 1280)],
  ...[groupNorm(65536, 128), groupNorm(65536, 33)],
  matchTokens(8, 30),
  ...(['mergeTokens', 'unmergeTokens'] as const).map((op) => of(op, { n: 2, hw: 64, c: 320, kept: 32 })),
  of('activation', { count: 640 }, { params: { activation: 'silu' } }),
  of('geglu', { m: 64, n: 320, n2: 640 }),
  of('embedding', { m: 77, c: 768, rows: 49408, length: 77 }, { given: ['positions'] }),
  of('timestepEmbedding', { m: 1, dim: 320 }, { params: { cosFirst: 1, shift: 0 } }),
  of('add', { count: 640 }),
  of('addRowBias', { n: 2, hw: 64, c: 320, rows: 2 }),
  of('scale', { count: 640, one: 1 }, { params: { factor: 2 } }),
  of('narrow', { count: 640 }),
  of('widen', { count: 640 }),
  of('concat', { m: 64, ca: 320, cb: 320, c: 640 }),
  of('tile', { times: 2, count: 640 }),
  of('upsample', { n: 2, h: 8, w: 8, c: 320, ho: 16, wo: 16 }),
  of('toPixels', { count: 640 }),
  of('fromPixels', { count: 640 }),
  of('sampleGaussian', { m: 64, c: 4, c2: 8 }, { params: { factor: 2 }, given: ['noise'] }),
  of('predictClean', { count: 640, copies: 2, width: 10 }),
  of('dynamicThreshold', { n: 2, count: 640 }, { params: { percentile: 0.9, max: 3 } }),
]
