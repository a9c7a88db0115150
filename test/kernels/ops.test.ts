// Every op that is no matrix product.

import { describe, it } from 'vitest'
import { opNames } from '../../lib/graph/ops.ts'
import { otherOps } from '../../lib/selftest/cases/others.ts'
import { tokenMerging } from '../../lib/selftest/cases/token-merging.ts'
import { noise, type OpCase } from '../../lib/selftest/op-case.ts'
import { check, titleOf } from './harness.ts'

/** Only the CPU has channels that were measured before. */
const measuredChannels = [
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

describe('kernels', () => {
  it.each([...otherOps, ...measuredChannels].map((c) => [titleOf(c), c] as const))('%s', (_, c) => check(c))

  it('are all here', ({ expect }) => {
    const elsewhere = ['linear', 'linearGeglu', 'projections', 'conv2d', ...tokenMerging.map(({ op }) => op)]
    const tested = new Set<string>([...otherOps.map(({ op }) => op), ...elsewhere])
    expect(opNames.filter((name) => !tested.has(name))).toEqual([])
  })
})
