// Every op that is no matrix product: sizes around the widths of vectors and tiles, the shapes of the real models
// where the references can afford them, in place where that is allowed.

import { noise, type OpCase } from '../op-case.ts'

const counts = [1, 3, 15, 16, 17, 31, 32, 33, 1000, 70_001]
const activations = ['none', 'silu', 'gelu', 'quick_gelu']

/** Noise in [-size, size) around a mean. */
const spread = (count: number, size: number, mean = 0, seed = 7) =>
  noise(count, seed).map((x) => x * size + mean)

const pointwise: OpCase[] = [
  ...counts.flatMap((count) => [
    { op: 'add', dims: { count }, inPlace: count % 2 === 0 } as const,
    { op: 'scale', dims: { count, one: 1 }, params: { factor: 0.18215 } } as const,
    { op: 'scale', dims: { count, one: 1 }, params: { factor: 3 }, given: ['by'], inPlace: true } as const,
    {
      op: 'fromPixels',
      dims: { count },
      inputs: { x: Uint8Array.from({ length: count }, (_, i) => i) },
    } as const,
    { op: 'toPixels', dims: { count }, inputs: { x: spread(count, 1.5) } } as const,
    { op: 'narrow', dims: { count } } as const,
    { op: 'widen', dims: { count } } as const,
    { op: 'tile', dims: { times: 2, count } } as const,
  ]),
  ...activations.flatMap((activation) =>
    [17, 33, 4000].map((count) => ({
      ...{ op: 'activation' as const, dims: { count }, params: { activation }, inPlace: count === 33 },
      inputs: { x: spread(count, 20) },
    })),
  ),
  ...[1, 15, 32, 33, 160].map((n) => ({
    ...{ op: 'geglu' as const, dims: { m: 5, n, n2: 2 * n } },
    inputs: { x: spread(10 * n, 6) },
  })),
]

const rowwise: OpCase[] = [
  ...[1, 3, 31, 32, 33, 320, 768].flatMap((c) => [
    { op: 'layerNorm', dims: { m: 7, c }, params: { eps: 1e-5 }, inPlace: c % 2 === 0 } as const,
    { op: 'addRowBias', dims: { n: 3, hw: 5, c, rows: 1 } } as const,
    { op: 'addRowBias', dims: { n: 3, hw: 5, c, rows: 3 }, inPlace: true } as const,
    { op: 'concat', dims: { m: 9, ca: c, cb: 2 * c + 1, c: 3 * c + 1 } } as const,
    { op: 'sampleGaussian', dims: { m: 9, c, c2: 2 * c }, params: { factor: 0.18215 } } as const,
    { op: 'sampleGaussian', dims: { m: 9, c, c2: 2 * c }, params: { factor: 1 }, given: ['noise'] } as const,
    { op: 'upsample', dims: { n: 2, h: 3, w: 4, c, ho: 6, wo: 8 } } as const,
    { op: 'upsample', dims: { n: 2, h: 3, w: 4, c, ho: 5, wo: 7 } } as const,
  ]),
  // A mean far from 0 is where careless variances lose their digits.
  {
    ...{ op: 'layerNorm', dims: { m: 4, c: 1280 }, params: { eps: 1e-5 } },
    inputs: { x: spread(5120, 1, 30) },
  },
]

const groupNorms: OpCase[] = [
  ...[
    [1, 1, 4, 2],
    [2, 7, 9, 3],
    [1, 64, 32, 32],
    [2, 33, 40, 8],
    [1, 100, 96, 32],
    [1, 256, 320, 32],
    [1, 5000, 64, 32],
    [2, 60, 64, 8],
    // Wide groups; more numbers than one block takes, groups that two of them share.
    [1, 9, 1030, 1],
    [2, 16400, 16, 2],
    [1, 16400, 9, 1],
    [1, 120, 1001, 1],
    [1, 90, 4152, 3],
  ].flatMap(([n, hw, c, groups]) =>
    ['none', 'silu'].map((activation) => ({
      ...{ op: 'groupNorm' as const, dims: { n: n!, hw: hw!, c: c! } },
      params: { groups: groups!, eps: 1e-5, activation },
    })),
  ),
  {
    ...{
      op: 'groupNorm',
      dims: { n: 1, hw: 1024, c: 32 },
      params: { groups: 8, eps: 1e-6, activation: 'none' },
    },
    inputs: { x: spread(32768, 1, 30) },
  },
  // Several tasks, the last with less than a block; channels with means of their own, of two groups in eight of them; a first
  // row and the last ones far off.
  ...(
    [
      [4197, 36, 3],
      [16_401, 36, 3],
      [16_401, 24, 2],
    ] as const
  ).flatMap(([hw, c, groups]) =>
    ['none', 'silu'].map((activation) => ({
      ...{ op: 'groupNorm' as const, dims: { n: 1, hw, c } },
      params: { groups, eps: 1e-6, activation },
      inputs: {
        x: spread(hw * c, 1).map((x, i) => x + (i % c) * 10 + (i < c ? 1000 : i >= (hw - 16) * c ? 500 : 0)),
      },
    })),
  ),
]

/** Borders between both values within groups of several widths, and between them. */
const groupNormsOfTwo: OpCase[] = [
  [2, 33, 64, 32, 8],
  [1, 100, 64, 56, 4],
  [1, 257, 64, 96, 32],
  [2, 40, 128, 64, 32],
  [1, 300, 192, 1, 1],
  [1, 16_401, 64, 8, 3],
].flatMap(([n, hw, ca, cb, groups]) =>
  ['none', 'silu'].map((activation) => ({
    ...{ op: 'concatGroupNorm' as const, dims: { n: n!, hw: hw!, ca: ca!, cb: cb!, c: ca! + cb! } },
    params: { groups: groups!, eps: 1e-5, activation },
  })),
)

const groupFactors: OpCase[] = groupNorms
  // One group would have one mean, of which the naive path may by chance make no error at all.
  .filter(({ inputs, params }) => !inputs && params!.activation === 'none' && params!.groups !== 1)
  .map(({ dims, params }) => ({
    ...{ op: 'groupFactors', dims, given: ['x'] },
    params: { groups: params!.groups!, eps: params!.eps! },
    // Means near 0 are as exact as the spread of x allows, of which the naive way may by chance lose nothing; of a
    // single pixel it never does.
    ...(dims.hw! > 1 && { inputs: { x: spread(dims.n! * dims.hw! * dims.c!, 1, 0.5) } }),
    allowance: 4,
  }))

const attention = (n: number, heads: number, d: number, lq: number, lk: number, mask = 'none'): OpCase => ({
  ...{ op: 'attention', dims: { n, lq, lk, c: heads * d } },
  params: { heads, scale: 1 / Math.sqrt(d), mask, arithmetic: 'f32' },
  // Scores of some size, so that the softmax has peaks, but not so large or so alike that one key takes all of it.
  inputs: { q: spread(n * lq * heads * d, 2.5, 0, 7), k: spread(n * lk * heads * d, 2.5, 0, 11) },
})
/**
 * Keys of which later ones have larger scores, by far for one query of each 16: what was summed up before them shrinks, for
 * that query alone.
 */
const rising = (d: number, lq: number, lk: number): OpCase => {
  const c = attention(1, 1, d, lq, lk)
  const row = (i: number) => Math.floor(i / d)
  const q = (c.inputs!.q as Float32Array).map((x, i) => x * (row(i) % 16 === 9 ? 1 : 0.1))
  const k = (c.inputs!.k as Float32Array).map((x, i) => x * (0.2 + (4 * row(i)) / lk))
  // Scores of some tens are rounded as coarsely in float32 as they are large, and weights by that.
  return { ...c, inputs: { ...c.inputs, q, k }, allowance: 2 }
}

export const attentions: readonly OpCase[] = [
  ...[1, 5, 8, 24, 40, 64, 80, 160].map((d) => attention(1, 2, d, 33, 77)),
  ...[1, 2, 13, 31, 32, 33, 64, 130].flatMap((l) => [attention(2, 3, 16, l, l), attention(1, 2, 7, l, 200)]),
  ...[1, 31, 77, 140].map((l) => attention(2, 4, 6, l, l, 'causal')),
  ...[
    attention(1, 1, 512, 40, 200),
    attention(2, 2, 512, 70, 70, 'causal'),
    attention(1, 1, 512, 1, 1),
    attention(1, 1, 512, 65, 129),
    // Of text encoders, and over several steps of keys.
    attention(1, 2, 64, 77, 77, 'causal'),
    attention(1, 1, 40, 200, 200, 'causal'),
    attention(1, 2, 20, 150, 300, 'causal'),
    attention(1, 8, 40, 256, 256),
    attention(1, 1, 3, 1, 1),
  ],
  ...[40, 64, 80, 96, 128, 160].flatMap((d) => [attention(1, 1, d, 70, 300), rising(d, 20, 500)]),
]

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number
const special = Float32Array.of(
  nan,
  infinity,
  -infinity,
  0,
  -0,
  1e-40,
  3e38,
  -3e38,
  88,
  -88,
  103,
  -103,
  1,
  -1,
)
/** Noise with special values here and there. */
const spiked = (count: number, values: readonly number[]) =>
  spread(count, 1).map((x, i) => (i % 29 === 3 ? values[((i - 3) / 29) % values.length]! : x))

const specials: OpCase[] = [
  ...activations.map((activation) => ({
    ...{ op: 'activation' as const, dims: { count: special.length }, params: { activation } },
    inputs: { x: special },
  })),
  { op: 'toPixels', dims: { count: special.length }, inputs: { x: special } },
  {
    ...{ op: 'sampleGaussian', dims: { m: 7, c: 1, c2: 2 }, params: { factor: 1 }, given: ['noise'] },
    inputs: { moments: special },
  },
  // A bad row of a batch must not reach the others, nor a bad value be hidden.
  { op: 'layerNorm', dims: { m: 9, c: 29 }, params: { eps: 1e-5 }, inputs: { x: spiked(261, [nan, 1, 2]) } },
  {
    ...{
      op: 'groupNorm',
      dims: { n: 2, hw: 40, c: 8 },
      params: { groups: 4, eps: 1e-5, activation: 'silu' },
    },
    inputs: { x: spread(640, 1).map((x, i) => (i === 333 ? nan : x)) },
  },
  {
    ...{ op: 'attention', dims: { n: 1, lq: 34, lk: 34, c: 8 } },
    ...{ params: { heads: 2, scale: 0.5, mask: 'causal', arithmetic: 'f32' } },
    inputs: { q: spread(272, 1).map((x, i) => (i === 81 ? nan : x)) },
  },
  {
    ...{
      op: 'attention',
      dims: { n: 1, lq: 3, lk: 140, c: 8 },
      params: { heads: 2, scale: 0.5, mask: 'none', arithmetic: 'f32' },
    },
    inputs: { k: spread(1120, 1).map((x, i) => (i === 1005 ? nan : x)) },
  },
  {
    ...{ op: 'dynamicThreshold', dims: { n: 3, count: 40 }, params: { percentile: 0.9, max: 3 } },
    inputs: { x: spread(120, 4).map((x, i) => (i < 40 && i % 5 === 0 ? nan : i === 50 ? infinity : x)) },
  },
]

const ids = (m: number, rows: number) =>
  Int32Array.from({ length: m }, (_, i) => ((i * 7919) % (rows + 4)) - 2)
const embeddings: OpCase[] = [
  ...(['f32', 'f16', 'bf16'] as const).flatMap((dtype) =>
    [1, 24, 33, 768].map((c) => ({
      ...{ op: 'embedding' as const, dims: { m: 154, c, rows: 50, length: 77 }, dtype },
      ...{ given: c === 33 ? [] : ['positions'], inputs: { ids: ids(154, 50) } },
    })),
  ),
  ...[2, 7, 32, 320].map((dim) => ({
    ...{
      op: 'timestepEmbedding' as const,
      dims: { m: 3, dim },
      params: { cosFirst: dim % 4 === 0 ? 1 : 0, shift: 0 },
    },
    inputs: { t: Float32Array.of(0, 500.25, 999) },
  })),
]

const coefficients = (depth: number) => noise(10 + depth, 3)
const steps: OpCase[] = [1, 33, 4096].flatMap((count) =>
  [1, 2].flatMap((copies) => [
    ...[0, 1, 2, 3].map((depth) => ({
      ...{ op: 'schedulerStep' as const, dims: { count, copies, width: 10 + depth, depth } },
      given: [
        ...(depth > 0 ? ['history', 'newHistory'] : ['noise']),
        ...(depth >= 2 ? ['clean', 'noise'] : []),
      ],
      ...{ inPlace: depth !== 1, inputs: { coefficients: coefficients(depth) } },
    })),
    {
      op: 'predictClean' as const,
      dims: { count, copies, width: 10 },
      inputs: { coefficients: coefficients(0) },
    },
  ]),
)
const thresholds: OpCase[] = [1, 2, 100, 4097].flatMap((count) =>
  [0.5, 0.995, 1].map((percentile) => ({
    ...{ op: 'dynamicThreshold' as const, dims: { n: 2, count }, params: { percentile, max: 3 } },
    inputs: { x: spread(2 * count, 4) },
  })),
)

export const otherOps: readonly OpCase[] = [
  pointwise,
  rowwise,
  groupNorms,
  groupNormsOfTwo,
  groupFactors,
  attentions,
  embeddings,
  steps,
  thresholds,
  specials,
].flat()
