// Moments of channels, which only convolutions on the CPU measure, and norms that are made of them.

import { describe, it } from 'vitest'
import { conv } from '../../lib/selftest/cases/conv2d.ts'
import { noise, type OpCase } from '../../lib/selftest/op-case.ts'
import { check, titleOf } from './harness.ts'

const moments = ['channelMean', 'channelVariance']

/** Of pictures of which several share a group or a block has one alone, and far from 0. */
const measured = (['winograd4', 'winograd6'] as const).flatMap((algorithm) =>
  [
    { n: 3, h: 40, w: 33, c: 20, o: 37, given: ['bias'] },
    { n: 5, h: 9, w: 7, c: 150, o: 16, given: ['residual'], inPlace: true },
    { n: 2, h: 65, w: 66, c: 16, o: 40, dtype: 'f16' as const, given: ['rowBias'] },
  ].map((size) => {
    const c = conv({ ...size, k: 3, pad: 1, algorithm, given: [...size.given, ...moments] })
    return { ...c, inputs: { rowBias: Float32Array.from({ length: size.n * size.o }, (_, i) => 300 - i) } }
  }),
)

/** What a norm is made of where its channels have been measured. */
const factors = [
  { n: 1, c: 8, groups: 8 },
  { n: 2, c: 60, groups: 4 },
  { n: 3, c: 320, groups: 32 },
].map(
  ({ n, c, groups }): OpCase => ({
    ...{ op: 'groupFactors', dims: { n, hw: 50, c }, params: { groups, eps: 1e-5 } },
    ...{ given: ['channelMean', 'channelVariance'], allowance: 4 },
    inputs: { channelMean: noise(n * c, 5), channelVariance: noise(n * c, 6).map((x) => x + 1.001) },
  }),
)

describe('moments of channels', () => {
  it.each([...measured, ...factors].map((c) => [titleOf(c), c] as const))('%s', (_, c) => check(c))
})
