// Convolutions: every combination of size, stride, padding and enlargement, then the shapes of the models.

import type { Activation } from '../../graph/spec.ts'
import type { MatrixCase } from '../op-case.ts'

const dtypes = ['f32', 'f16', 'bf16'] as const

/**
 * What Winograd's algorithm adds and subtracts is up to 20 times the result's size. Errors, measured: with tiles of 4x4 4 times
 * those of the naive way for half of the cases, 9 times at most; with tiles of 6x6 7 times and 20 times. Those of enlarged pictures
 * add and subtract only neighbours: 2.2 times.
 */
const allowances: Partial<Record<NonNullable<Conv['algorithm']>, number>> = { winograd4: 8, winograd6: 16 }

interface Conv {
  readonly n?: number
  readonly h: number
  readonly w: number
  readonly c: number
  readonly o: number
  /** Kernel size, or height and width of it. */
  readonly k: number | readonly [number, number]
  readonly stride?: number
  /** Of all sides, or top, left, bottom, right. */
  readonly pad?: number | readonly [number, number, number, number]
  readonly upsample?: number
  readonly activation?: Activation
  readonly dtype?: MatrixCase['dtype']
  readonly given?: readonly string[]
  readonly rows?: number
  readonly inPlace?: boolean
  readonly algorithm?: 'direct' | 'winograd4' | 'winograd6' | 'strassen' | 'contraction'
  readonly inputActivation?: Activation
}

const sides = (pad: NonNullable<Conv['pad']>) =>
  typeof pad === 'number' ? ([pad, pad, pad, pad] as const) : pad

export function conv(options: Conv): MatrixCase {
  const { n = 1, h, w, c, o, k, stride = 1, pad = 0, upsample = 1, activation = 'none', rows = n } = options
  const {
    dtype = 'f32',
    given = ['bias'],
    inPlace = false,
    algorithm = 'direct',
    inputActivation = 'none',
  } = options
  const enlargedTiles = algorithm === 'winograd6' && upsample === 2
  const [kh, kw] = typeof k === 'number' ? [k, k] : k
  const [padTop, padLeft, padBottom, padRight] = sides(pad)
  const ho = Math.floor((h * upsample + padTop + padBottom - kh) / stride) + 1
  const wo = Math.floor((w * upsample + padLeft + padRight - kw) / stride) + 1
  const dims = { n, h, w, c, ho, wo, o, kh, kw, rows }
  const params = {
    stride,
    padTop,
    padLeft,
    padBottom,
    padRight,
    upsample,
    activation,
    inputActivation,
    algorithm,
  }
  return {
    op: 'conv2d',
    dims,
    params,
    dtype,
    given,
    inPlace,
    allowance: enlargedTiles ? 2 : (allowances[algorithm] ?? 1),
  }
}

const paddings = [0, 1, [0, 0, 1, 1]] as const
const combined = [1, 3].flatMap((k) =>
  [1, 2].flatMap((stride) =>
    paddings.flatMap((pad, i) =>
      [1, 2].flatMap((upsample) =>
        [3, 4, 5, 40].map((c, j) =>
          conv({
            n: 2,
            h: 7,
            w: 10,
            c,
            o: [33, 3, 4, 77][(i + j) % 4]!,
            k,
            stride,
            pad,
            upsample,
            dtype: dtypes[(i + j + k) % 3]!,
          }),
        ),
      ),
    ),
  ),
)
const odd = [
  conv({ h: 2, w: 2, c: 8, o: 8, k: 3, pad: 5 }),
  conv({ h: 1, w: 1, c: 31, o: 31, k: 3, pad: 1, dtype: 'f16' }),
  conv({ n: 3, h: 6, w: 5, c: 20, o: 20, k: [5, 2], stride: 3, pad: [2, 1, 0, 4], dtype: 'bf16' }),
  conv({ h: 3, w: 33, c: 7, o: 17, k: [1, 7], pad: [0, 3, 0, 3] }),
]
const epilogues = dtypes.flatMap((dtype) => [
  conv({
    n: 2,
    h: 5,
    w: 7,
    c: 40,
    o: 36,
    k: 3,
    pad: 1,
    dtype,
    given: ['bias', 'rowBias'],
    activation: 'silu',
  }),
  conv({ n: 3, h: 5, w: 7, c: 40, o: 36, k: 1, dtype, given: ['rowBias'], rows: 1 }),
  conv({
    n: 2,
    h: 5,
    w: 7,
    c: 70,
    o: 36,
    k: 3,
    pad: 1,
    dtype,
    given: ['bias', 'rowBias', 'residual'],
    inPlace: true,
  }),
  conv({ n: 2, h: 5, w: 7, c: 300, o: 36, k: 1, dtype, given: ['residual'], inPlace: true }),
])
const models = [
  conv({ n: 2, h: 16, w: 16, c: 4, o: 320, k: 3, pad: 1, dtype: 'f16' }),
  conv({ n: 1, h: 16, w: 16, c: 320, o: 4, k: 3, pad: 1, dtype: 'f16' }),
  conv({ n: 2, h: 4, w: 4, c: 320, o: 640, k: 3, pad: 1, dtype: 'f16', given: ['bias', 'rowBias'] }),
  conv({ n: 1, h: 8, w: 8, c: 320, o: 320, k: 3, pad: 1, stride: 2, dtype: 'bf16' }),
  conv({ n: 1, h: 4, w: 4, c: 320, o: 320, k: 3, pad: 1, upsample: 2, dtype: 'f16' }),
  conv({ n: 1, h: 20, w: 12, c: 128, o: 3, k: 3, pad: 1 }),
  conv({ n: 1, h: 12, w: 12, c: 64, o: 64, k: 3, pad: [0, 0, 1, 1], stride: 2 }),
]
/**
 * The larger tiles of GPUs, in both types that they keep; with 64 channels those of the copy engine, over several rows of pixels
 * and pictures, between pads of any width.
 */
const tiles = (['f16', 'bf16'] as const).flatMap((dtype) => [
  conv({ h: 16, w: 16, c: 64, o: 160, k: 3, pad: 1, dtype, given: ['bias', 'residual'] }),
  conv({ n: 2, h: 12, w: 18, c: 64, o: 128, k: 3, pad: [2, 0, 1, 3], dtype }),
  conv({ n: 3, h: 9, w: 11, c: 128, o: 160, k: [2, 3], pad: [0, 1, 1, 1], stride: 2, dtype }),
  conv({ n: 2, h: 16, w: 12, c: 64, o: 77, k: 3, pad: [0, 0, 1, 1], stride: 2, dtype, given: ['rowBias'] }),
  conv({ h: 16, w: 16, c: 16, o: 160, k: 3, pad: 1, dtype, given: ['bias', 'rowBias', 'residual'] }),
  conv({ n: 2, h: 7, w: 10, c: 40, o: 77, k: 1, upsample: 2, dtype }),
  conv({ n: 2, h: 12, w: 18, c: 40, o: 77, k: 3, pad: 1, dtype }),
])

/** Whole channels of boxes, of which the copy engine of Hopper cannot take all: what is too far apart or too far outside, by one. */
const boxes = [
  ...[8, 9].map((stride) => conv({ h: 10, w: 19, c: 64, o: 8, k: 3, pad: 1, stride, dtype: 'f16' })),
  ...[128, 129].flatMap((far) => [
    conv({ h: 2, w: 3, c: 64, o: 8, k: 1, pad: [0, far, 0, 0], dtype: 'f16' }),
    conv({ h: 3, w: 2, c: 64, o: 8, k: 1, pad: [far, 0, 0, 0], dtype: 'f16' }),
    conv({ h: 2, w: far + 2, c: 64, o: 8, k: [1, far + 1], dtype: 'f16' }),
    conv({ h: far + 2, w: 2, c: 64, o: 8, k: [far + 1, 1], dtype: 'f16' }),
  ]),
  ...[127, 128].flatMap((far) => [
    conv({ h: 2, w: 3, c: 64, o: 8, k: 1, pad: [0, 0, 0, far], dtype: 'f16' }),
    conv({ h: 3, w: 2, c: 64, o: 8, k: 1, pad: [0, 0, far, 0], dtype: 'f16' }),
  ]),
  // Divided, where a part begins with neither the first channel nor the first tap of a row.
  conv({ h: 4, w: 5, c: 320, o: 40, k: [2, 3], pad: [1, 0, 0, 2], dtype: 'f16' }),
]

const winograd = (['winograd4', 'winograd6'] as const).flatMap((algorithm) => [
  // no whole tile, one, and parts of tiles at each border; with and without a whole vector, chunk or panel
  ...[1, 3, 4, 6, 9].flatMap((h, i) =>
    [4, 6, 13].flatMap((w, j) =>
      [3, 16, 33, 64, 65, 130].map((c, k) =>
        conv({
          n: 1 + ((i + j) % 2),
          h,
          w,
          c,
          o: [3, 16, 20, 33, 64][(i + j + k) % 5]!,
          k: 3,
          pad: ([1, 1, [1, 2, 1, 0]] as const)[(j + k) % 3]!,
          upsample: 1 + ((i + k) % 2),
          dtype: dtypes[(i + j + k) % 3]!,
          algorithm,
        }),
      ),
    ),
  ),
  conv({ n: 1, h: 48, w: 44, c: 20, o: 24, k: 3, pad: 1, algorithm }),
  // normalised on the way in: within one stretch of tiles, over several of them and over pictures
  ...(['none', 'silu'] as const).flatMap((inputActivation) =>
    [
      { n: 2, h: 6, w: 7, c: 70, o: 20 },
      { n: 3, h: 4, w: 5, c: 16, o: 16, upsample: 2 },
      { n: 2, h: 32, w: 30, c: 512, o: 8 },
    ].map((size) =>
      conv({
        ...{ ...size, k: 3, pad: 1, inputActivation, algorithm },
        given: ['bias', 'mean', 'factor', 'shift'],
      }),
    ),
  ),
  ...epilogues
    .filter((c) => c.dims.kh === 3)
    .map((c) => ({ ...c, params: { ...c.params, algorithm }, allowance: allowances[algorithm]! })),
])

/** By what they try. */
export const convolutions: Readonly<Record<string, readonly MatrixCase[]>> = {
  'every combination': combined,
  odd,
  epilogues,
  'as in the models': models,
  'large tiles': tiles,
  boxes,
  winograd,
}
