// Winograd's algorithm at sizes that are cut into blocks and groups of tiles: too large for the self-test, and nothing to GPUs,
// which have no kernel of their own for it.

import { describe, it } from 'vitest'
import { conv } from '../../lib/selftest/cases/conv2d.ts'
import { check, titleOf } from './harness.ts'

const moments = ['channelMean', 'channelVariance']

/** Blocks of tiles: parts of them, of chunks and slices of channels, of vectors. */
const blocks = [
  { h: 98, w: 96, c: 70, o: 9, dtype: 'f16' as const },
  { h: 98, w: 98, c: 150, o: 3 },
  { n: 2, h: 130, w: 127, c: 3, o: 260, dtype: 'bf16' as const },
  { n: 3, h: 17, w: 16, c: 17, o: 20, upsample: 2, given: ['bias', 'rowBias'] },
  { h: 61, w: 67, c: 33, o: 17, activation: 'silu' as const, given: ['residual'], inPlace: true },
].flatMap((size) =>
  (['winograd4', 'winograd6'] as const).flatMap((algorithm) => [
    conv({ ...size, k: 3, pad: 1, algorithm, given: [...(size.given ?? ['bias']), ...moments] }),
    conv({
      ...{ ...size, k: 3, pad: [2, 0, 1, 1], algorithm, inputActivation: 'silu' },
      given: [...(size.given ?? []), 'mean', 'factor', 'shift'],
    }),
  ]),
)

/** Shared patches: tiles in several groups, and these in several stretches. */
const groups = (['winograd4', 'winograd6'] as const).flatMap((algorithm) => [
  conv({ h: 72, w: 66, c: 80, o: 6, k: 3, pad: 1, dtype: 'f16', algorithm, given: ['bias', ...moments] }),
  conv({
    ...{ h: 72, w: 66, c: 320, o: 4, k: 3, pad: 1, algorithm, inputActivation: 'silu' },
    given: ['bias', 'mean', 'factor', 'shift'],
  }),
])

describe.each(Object.entries({ blocks, groups }))('%s', (_, cases) => {
  it.each(cases.map((c) => [titleOf(c), c] as const))('%s', (_title, c) => check(c))
})
