// Contractions, which only the CPU has: one round, whose results wait, and up to three more; with and without room left.

import { it } from 'vitest'
import { conv } from '../../lib/selftest/cases/conv2d.ts'
import { check, titleOf } from './harness.ts'

const cases = [
  { h: 3, w: 5, c: 2, o: 1 },
  { h: 64, w: 64, c: 32, o: 16, dtype: 'f16' as const },
  { h: 91, w: 90, c: 16, o: 8, dtype: 'bf16' as const },
  { n: 3, h: 91, w: 90, c: 65, o: 32, activation: 'silu' as const },
  { h: 129, w: 131, c: 40, o: 3, given: ['residual', 'rowBias'] },
].flatMap((size) =>
  [true, false].map((inPlace) => conv({ ...size, rows: 1, k: 1, algorithm: 'contraction', inPlace })),
)

it.each(cases.map((c) => [titleOf(c), c] as const))('%s', (_title, c) => check(c))
