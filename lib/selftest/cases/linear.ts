// Linear layers: sizes around the widths of vectors, panels and tiles, several stretches of depth, every epilogue.

import type { Activation } from '../../graph/spec.ts'
import { type MatrixCase, noise, type OpCase } from '../op-case.ts'

const dtypes = ['f32', 'f16', 'bf16'] as const

interface Options {
  readonly dtype?: MatrixCase['dtype']
  readonly activation?: Activation
  readonly given?: readonly string[]
  readonly inPlace?: boolean
}

const linear = (m: number, n: number, k: number, options: Options = {}): MatrixCase => {
  const { dtype = 'f32', activation = 'none', given = ['bias'], inPlace = false } = options
  return { op: 'linear', dims: { m, n, k }, params: { activation }, dtype, given, inPlace }
}

const rows = [1, 2, 3, 13, 31, 32, 33, 77]
const columns = [1, 3, 4, 31, 32, 33, 77]
const depths = [1, 3, 9, 31, 64]

const small = rows.flatMap((m, i) =>
  columns.map((n, j) => linear(m, n, depths[(i + j) % depths.length]!, { dtype: dtypes[(i + 2 * j) % 3]! })),
)
/** One stretch of depth less one, exactly, and more; several blocks of rows and of columns. */
const deep = [255, 256, 257, 1025].flatMap((k, i) => [
  linear(77, 40, k, { dtype: dtypes[i % 3]!, given: ['bias', 'residual'], inPlace: true }),
  linear(1, 100, k, { dtype: dtypes[(i + 1) % 3]!, given: ['residual'] }),
])
/**
 * So deep that blocks share the products, and rows of results that begin anywhere; the deepest on Hopper, in parts of whole boxes,
 * of which there are an odd number.
 */
const divided = [1024, 1025, 2600].map((k) => linear(5, 37, k, { dtype: 'f16' }))
/** Whole 16-byte chunks, but no whole step of the depth that tensor cores take. */
const chunks = [8, 40, 72, 328].flatMap((k, i) => [
  linear(33, 40, k, { dtype: dtypes[i % 3]! }),
  linear(64, 160, k, { dtype: 'f16', given: ['residual'] }),
])
const blocks = dtypes.flatMap((dtype) => [
  linear(700, 70, 300, { dtype, given: ['bias', 'residual'], inPlace: true }),
  linear(30, 1300, 77, { dtype, given: [] }),
])
const epilogues = [
  ...(['silu', 'gelu', 'quick_gelu'] as const).flatMap((activation) => [
    linear(33, 45, 300, { activation }),
    linear(33, 45, 300, { activation, given: ['bias', 'residual'], inPlace: true, dtype: 'f16' }),
  ]),
]
/** The larger tiles of GPUs, in both types that they keep; warps of the largest ask for more residuals than they can at once. */
const tiles = (['f16', 'bf16'] as const).flatMap((dtype) => [
  linear(256, 320, 64, { dtype, given: ['bias', 'residual'] }),
  linear(77, 768, 72, { dtype }),
])
const unet = dtypes.flatMap((dtype) => [
  linear(2, 1280, 320, { dtype, activation: 'silu' }),
  linear(77, 320, 768, { dtype, given: [] }),
  linear(64, 320, 320, { dtype, given: ['bias', 'residual'], inPlace: true }),
  linear(33, 40, 72, { dtype, activation: 'silu', given: ['bias', 'residual'] }),
])
/** Rows whose means are none, five and twenty of their deviations, some higher at their end, some nearly constant. */
function awayFromZero(m: number, k: number): Float32Array {
  return noise(m * k, 3).map((value, i) => {
    const row = Math.floor(i / k)
    if (row % 4 === 3) return value / 1024
    return value + [0, 3, -12][row % 4]! + (row % 8 < 4 ? (2 * (i % k)) / k : 0)
  })
}

/** A norm in front of layers, which a GPU finds folded into the weights. */
const withNorm = (c: OpCase, far = false): OpCase => ({
  ...c,
  params: { ...c.params, eps: far ? 1e-6 : 1e-5 },
  given: [...(c.given ?? []), 'gamma', 'beta'],
  ...(far && { inputs: { x: awayFromZero(c.dims.m!, c.dims.k!) } }),
})

const gated = dtypes.flatMap((dtype) =>
  [
    [1, 32, 5],
    [7, 64, 33],
    [77, 96, 255],
    [5, 1280, 64],
    [400, 160, 300],
    [64, 32, 1025],
    [128, 128, 40],
    [128, 160, 64],
    [64, 64, 640],
  ].map(([m, n, k], i): OpCase => {
    const given = i % 2 === 0 ? ['bias'] : []
    return { op: 'linearGeglu', dims: { m: m!, n: n!, n2: 2 * n!, k: k! }, dtype, given }
  }),
)

/** Whole chunks and odd ones, all tiles, divided products of few splits and of many. */
const normedGated = [
  [1, 32, 8, 'f16'],
  [33, 32, 40, 'bf16'],
  [7, 64, 33, 'f16'],
  [130, 160, 320, 'f16'],
  [70, 320, 72, 'bf16'],
  [64, 64, 2560, 'f16'],
].map(([m, n, k, dtype], i): OpCase => {
  const dims = { m, n, n2: 2 * (n as number), k } as OpCase['dims']
  const given = i % 2 === 0 ? ['bias'] : []
  return withNorm({ op: 'linearGeglu', dims, dtype: dtype as 'f16', given }, i % 2 === 1)
})

export const gatedLinears: readonly OpCase[] = [...gated, ...normedGated]

const layers = (m: number, n: number, k: number, more: number, biased: boolean): OpCase => {
  const given = Array.from({ length: more }, (_, j) => [`w${j + 1}`, `y${j + 1}`])
  const biases = biased ? Array.from({ length: more }, (_, j) => `bias${j}`) : []
  return { op: 'projections', dims: { m, n, k }, given: [...given.flat(), ...biases] }
}

const projected = [
  [1, 320, 1280, 5],
  [64, 320, 320, 2],
  [130, 40, 64, 2],
  [64, 64, 2560, 1],
  [3, 33, 17, 2],
  [257, 160, 32, 1],
].map(
  ([m, n, k, more], i): OpCase => ({
    ...layers(m!, n!, k!, more!, i % 2 === 1),
    params: { eps: 0, activation: 'none' },
    dtype: i % 3 ? 'f16' : 'bf16',
  }),
)

/** Sizes as above; steps that are not whole at the end of the depth, one layer with what follows it. */
const normedLayers = [
  [1, 8, 8, 0, 'f16'],
  [33, 40, 24, 2, 'bf16'],
  [130, 320, 64, 1, 'f16'],
  [64, 320, 320, 2, 'bf16'],
  [77, 768, 72, 0, 'f16'],
  [64, 128, 2560, 0, 'f16'],
  [70, 160, 1288, 2, 'bf16'],
  [5, 33, 17, 2, 'f16'],
  [257, 160, 40, 0, 'f16'],
].flatMap(([m, n, k, more, dtype], i): OpCase[] => {
  const params = { activation: more === 0 ? 'quick_gelu' : 'none' }
  const c = { ...layers(m as 1, n as 1, k as 1, more as 1, i % 2 === 1), params, dtype: dtype as 'f16' }
  return i % 2 === 0 ? [withNorm(c), withNorm(c, true)] : [withNorm(c)]
})

/** Products with gamma that are halves only when they are scaled. */
const smallGamma: OpCase = {
  ...withNorm({ ...layers(33, 40, 64, 1, false), params: { activation: 'none' }, dtype: 'f16' }),
  inputs: { gamma: noise(64, 3).map((value) => value / 65536), beta: new Float32Array(64) },
}

/** Rows of two values side by side: the border behind one step and several, in a divided product, and in front of little. */
export const concatenated: readonly OpCase[] = [
  [33, 40, 64, 8, 'f16'],
  [64, 320, 192, 128, 'bf16'],
  [130, 160, 128, 200, 'f16'],
  [64, 64, 1280, 640, 'f16'],
  [5, 33, 64, 2496, 'bf16'],
  [257, 768, 64, 64, 'bf16'],
  // Every tile.
  ...['f16', 'bf16'].flatMap((dtype) => [
    [100, 128, 64, 8, dtype],
    [100, 160, 64, 8, dtype],
    [64, 320, 64, 8, dtype],
    [100, 320, 64, 8, dtype],
    [64, 128, 64, 128, dtype],
    [257, 128, 64, 64, dtype],
  ]),
].map(([m, n, ca, cb, dtype], i): OpCase => {
  const dims = { m, n, ca, cb, k: (ca as number) + (cb as number) } as OpCase['dims']
  const given = [...(i % 2 === 0 ? ['bias'] : []), ...(i % 3 === 1 ? ['residual'] : [])]
  return { op: 'concatLinear', dims, dtype: dtype as 'f16', given, inPlace: i === 4 }
})

export const joinedLinears: readonly OpCase[] = [...projected, ...normedLayers, smallGamma]

/** By what they try. */
export const linears: Readonly<Record<string, readonly MatrixCase[]>> = {
  'small and odd': small,
  'several stretches of depth': [...deep, ...divided],
  'part of a step of depth': chunks,
  'several blocks': blocks,
  epilogues,
  'large tiles': tiles,
  'as in the UNet': unet,
}
