// Products by Strassen's algorithm, which only the CPU has: odd rows and a single one, whose lower half is empty, a shorter
// last stretch of depth, several blocks of rows and of columns, tasks that share rows and that do not, and that have more
// columns for one thread than for three, every epilogue.

import type { Activation } from '../../../lib/graph/spec.ts'
import { conv } from '../../../lib/selftest/cases/conv2d.ts'
import type { OpCase } from '../../../lib/selftest/op-case.ts'

const dtypes = ['f32', 'f16', 'bf16'] as const

/** It adds before it multiplies: measured, up to 2.2 times the error of the naive sum, of which twice is allowed anyway. */
const allowance = 1.5

interface Options {
  readonly dtype?: OpCase['dtype']
  readonly given?: readonly string[]
  readonly activation?: Activation
  readonly inPlace?: boolean
}

const linear = (m: number, n: number, k: number, options: Options = {}): OpCase => {
  const { dtype = 'f32', given = ['bias'], activation = 'none', inPlace = false } = options
  const params = { activation, algorithm: 'strassen' }
  return { op: 'linear', dims: { m, n, k }, params, dtype, given, inPlace, allowance }
}

const gated = (m: number, n: number, k: number, options: Options = {}): OpCase => ({
  ...{ op: 'linearGeglu', dims: { m, n, n2: 2 * n, k }, params: { eps: 1e-5, algorithm: 'strassen' } },
  ...{ dtype: options.dtype ?? 'f32', given: options.given ?? ['bias'], allowance },
})

const linears = dtypes.flatMap((dtype, i) => [
  linear(1, 64, 8 * (i + 1), { dtype, given: [] }),
  linear(2, 128, 16, { dtype }),
  linear(13 + i, 64, 320, { dtype, given: ['bias', 'residual'], inPlace: true }),
  linear(77, 192, 328 + 8 * i, { dtype, given: ['bias', 'residual'] }),
  linear(154, 128, 1288, { dtype, activation: 'quick_gelu' }),
  linear(169 + i, 1344, 40, { dtype }),
  linear(700, 64, 328, { dtype, given: ['residual'], inPlace: true }),
  linear(5000, 64, 424, { dtype }),
])

const manyRows = linear(6600, 384, 320)

/** Three threads share copies of two blocks of rows: three blocks of columns, and more numbers than are near. */
const sharedRows = [linear(180, 192, 800, { dtype: 'f16' }), gated(180, 96, 800, { dtype: 'bf16' })]

const gatedLinears = dtypes.flatMap((dtype, i) => [
  gated(1, 32, 8, { dtype }),
  gated(31 + i, 64, 320, { dtype, given: ['bias', 'gamma', 'beta'] }),
  gated(179, 352, 656, { dtype, given: [] }),
])

const convolutions = dtypes.flatMap((dtype) =>
  [
    conv({
      n: 2,
      h: 5,
      w: 7,
      c: 72,
      o: 64,
      k: 1,
      given: ['bias', 'rowBias', 'residual'],
      inPlace: true,
      dtype,
    }),
    conv({ n: 1, h: 13, w: 12, c: 64, o: 64, k: 3, pad: [0, 0, 1, 1], stride: 2, dtype }),
    conv({ n: 1, h: 9, w: 8, c: 40, o: 128, k: 3, pad: 1, upsample: 2, activation: 'silu', dtype }),
  ].map((c): OpCase => ({ ...c, params: { ...c.params, algorithm: 'strassen' }, allowance })),
)

export const strassenCases: readonly OpCase[] = [
  ...linears,
  manyRows,
  ...sharedRows,
  ...gatedLinears,
  ...convolutions,
]
