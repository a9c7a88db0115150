// Linear layers: sizes around the widths of vectors, panels and tiles, several stretches of depth, every epilogue.

import type { Activation } from '../../graph/spec.ts'
import type { MatrixCase, OpCase } from '../op-case.ts'

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
/** Whole 16-byte chunks, but no whole step of the depth that tensor cores take. */
const chunks = [8, 40, 72, 328].flatMap((k, i) => [
  linear(33, 40, k, { dtype: dtypes[i % 3]! }),
  linear(64, 160, k, { dtype: 'f16', given: ['residual'] }),
])
const blocks = dtypes.flatMap((dtype) => [
  linear(700, 70, 300, { dtype, given: ['bias', 'residual'], inPlace: true }),
  linear(30, 1300, 77, { dtype, given: [] }),
])
const epilogues = (['silu', 'gelu', 'quick_gelu'] as const).flatMap((activation) => [
  linear(33, 45, 300, { activation }),
  linear(33, 45, 300, { activation, given: ['bias', 'residual'], inPlace: true, dtype: 'f16' }),
])
const unet = dtypes.flatMap((dtype) => [
  linear(2, 1280, 320, { dtype, activation: 'silu' }),
  linear(77, 320, 768, { dtype, given: [] }),
  linear(64, 320, 320, { dtype, given: ['bias', 'residual'], inPlace: true }),
])
export const gatedLinears = dtypes.flatMap((dtype) =>
  [
    [1, 32, 5],
    [7, 64, 33],
    [77, 96, 255],
    [5, 1280, 64],
    [400, 160, 300],
    [64, 32, 1025],
  ].map(([m, n, k], i): OpCase => {
    const given = i % 2 === 0 ? ['bias'] : []
    return { op: 'linearGeglu', dims: { m: m!, n: n!, n2: 2 * n!, k: k! }, dtype, given }
  }),
)

/** Around the widths of tiles; the deep ones are divided between blocks; one wider than a GPU normalises in its product. */
const normed = [
  [1, 8, 5, 'f16'],
  [33, 40, 24, 'bf16'],
  [130, 320, 64, 'f16'],
  [64, 320, 320, 'bf16'],
  [77, 768, 64, 'f16'],
  [64, 128, 2560, 'f16'],
  [70, 1280, 1280, 'bf16'],
  [5, 33, 17, 'f16'],
  [3, 1320, 32, 'f16'],
].map(([m, n, k, dtype], i): OpCase => {
  const given = i % 3 === 0 ? ['bias'] : ['bias', 'residual']
  const dims = { m, n, k } as OpCase['dims']
  return { op: 'linearNorm', dims, params: { eps: 1e-5 }, dtype: dtype as 'f16', given, inPlace: i % 2 === 1 }
})
const projected = [
  [1, 320, 1280, 5],
  [64, 320, 320, 2],
  [130, 40, 64, 2],
  [64, 64, 2560, 1],
  [3, 33, 17, 2],
  [257, 160, 32, 1],
].map(([m, n, k, more], i): OpCase => {
  const given = Array.from({ length: more! }, (_, j) => [
    `w${j + 1}`,
    `y${j + 1}`,
    ...(i % 2 ? [`bias${j}`] : []),
  ])
  return {
    op: 'projections',
    dims: { m: m!, n: n!, k: k! },
    dtype: i % 3 ? 'f16' : 'bf16',
    given: given.flat(),
  }
})

export const joinedLinears: readonly OpCase[] = [...normed, ...projected]

/** By what they try. */
export const linears: Readonly<Record<string, readonly MatrixCase[]>> = {
  'small and odd': small,
  'several stretches of depth': deep,
  'part of a step of depth': chunks,
  'several blocks': blocks,
  epilogues,
  'as in the UNet': unet,
}
