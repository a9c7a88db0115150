// Convolutions of enlarged pictures by sums of taps: sizes at which quarters, rows of pixels, pictures and tiles end in
// different places.

import type { Activation } from '../../graph/spec.ts'
import type { MatrixCase } from '../op-case.ts'

interface Enlarged {
  readonly n?: number
  readonly h: number
  readonly w: number
  readonly c: number
  readonly o: number
  readonly activation?: Activation
  readonly dtype?: MatrixCase['dtype']
  readonly given?: readonly string[]
}

export function enlarged(options: Enlarged): MatrixCase {
  const { n = 1, h, w, c, o, activation = 'none', dtype = 'f16', given = ['bias'] } = options
  return {
    ...{ op: 'upsampleConv2d', params: { activation }, dtype, given, inPlace: false },
    dims: { n, h, w, c, ho: 2 * h, wo: 2 * w, o, kh: 3, kw: 3 },
  }
}

const small = [
  [1, 1, 8, 8],
  [1, 9, 40, 33],
  [7, 1, 24, 3],
  [2, 3, 64, 20],
  [5, 7, 128, 77],
].flatMap(([h, w, c, o], i) =>
  [1, 2].map((n) =>
    enlarged({ n, h: h!, w: w!, c: c!, o: o!, dtype: (['f16', 'bf16', 'f32'] as const)[(i + n) % 3]! }),
  ),
)

const epilogues = [
  enlarged({ n: 2, h: 5, w: 6, c: 40, o: 36, activation: 'silu' }),
  enlarged({ n: 3, h: 4, w: 5, c: 64, o: 40, activation: 'quick_gelu', given: [], dtype: 'bf16' }),
  enlarged({ h: 6, w: 3, c: 64, o: 33, activation: 'silu', given: [] }),
]

/** Whose depth several blocks share, and that of the models. */
const divided = [
  enlarged({ h: 4, w: 4, c: 320, o: 320 }),
  enlarged({ n: 2, h: 3, w: 5, c: 640, o: 40, activation: 'silu', dtype: 'bf16' }),
  enlarged({ h: 5, w: 4, c: 328, o: 77 }),
]

/** The larger tiles of GPUs, in both types: blocks of rows that begin in one picture and end in the next, and more channels. */
const tiles = (['f16', 'bf16'] as const).flatMap((dtype) => [
  enlarged({ n: 2, h: 9, w: 11, c: 64, o: 160, dtype }),
  enlarged({ h: 12, w: 13, c: 64, o: 320, dtype }),
  enlarged({ n: 3, h: 6, w: 10, c: 40, o: 128, dtype }),
  enlarged({ n: 2, h: 8, w: 9, c: 64, o: 128, dtype }),
  enlarged({ h: 7, w: 9, c: 128, o: 200, dtype }),
])

/** By what they try. */
export const enlargements: Readonly<Record<string, readonly MatrixCase[]>> = {
  'small and odd': small,
  epilogues,
  'divided depths': divided,
  'large tiles': tiles,
}
