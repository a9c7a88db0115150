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

/** Of enlarged pictures, in groups, stretches and blocks: pads that are even, odd and wider than a patch, before the first output. */
const enlarged = [
  { h: 40, w: 37, c: 700, o: 5, pad: [2, 1, 0, 1] as const, given: ['bias', 'mean', 'factor', 'shift'] },
  { n: 2, h: 9, w: 14, c: 130, o: 150, pad: 1, dtype: 'f16' as const, given: ['rowBias', 'residual'] },
  { n: 3, h: 1, w: 2, c: 33, o: 20, pad: [3, 6, 3, 4] as const, given: ['mean', 'factor', 'shift'] },
  { n: 2, h: 3, w: 1, c: 70, o: 33, pad: [0, 2, 1, 0] as const, dtype: 'bf16' as const },
  { h: 66, w: 61, c: 150, o: 36, pad: [0, 1, 1, 2] as const, activation: 'silu' as const, inPlace: true },
  { n: 2, h: 41, w: 43, c: 140, o: 20, pad: 1, given: ['residual', 'mean', 'factor', 'shift'] },
].map((size) =>
  conv({
    ...{ ...size, k: 3, upsample: 2, algorithm: 'winograd6', inputActivation: 'silu' },
    given: [...(size.given ?? ['bias', 'residual']), ...moments],
  }),
)

/** Of stride 2: parts of tiles at each border, in groups and in blocks, with all that goes with others. */
const strided = [
  { n: 2, h: 9, w: 10, c: 20, o: 33, pad: [0, 0, 1, 1] as const, dtype: 'f16' as const },
  { n: 3, h: 5, w: 4, c: 130, o: 16, pad: 1, given: ['bias', 'residual'], inPlace: true },
  { h: 33, w: 47, c: 64, o: 64, pad: 1, dtype: 'bf16' as const, activation: 'silu' as const },
  { h: 7, w: 9, c: 16, o: 20, pad: [2, 1, 0, 1] as const, upsample: 2, given: ['rowBias'] },
  { h: 70, w: 62, c: 150, o: 36, pad: [0, 0, 1, 1] as const, given: ['mean', 'factor', 'shift'] },
  { n: 2, h: 130, w: 141, c: 20, o: 17, pad: [0, 0, 1, 1] as const, dtype: 'f16' as const },
  {
    h: 127,
    w: 140,
    c: 9,
    o: 40,
    pad: 1,
    given: ['bias', 'residual', 'mean', 'factor', 'shift'],
    inPlace: true,
  },
].map((size) =>
  conv({
    ...{ ...size, k: 3, stride: 2, algorithm: 'winograd4', inputActivation: 'silu' },
    given: [...(size.given ?? ['bias']), ...moments],
  }),
)

describe.each(Object.entries({ blocks, groups, enlarged, strided }))('%s', (_, cases) => {
  it.each(cases.map((c) => [titleOf(c), c] as const))('%s', (_title, c) => check(c))
})
