// Every op that is no matrix product.

import { describe, it } from 'vitest'
import { opNames } from '../../lib/graph/ops.ts'
import { otherOps } from '../../lib/selftest/cases/others.ts'
import { tokenMerging } from '../../lib/selftest/cases/token-merging.ts'
import { check, titleOf } from './harness.ts'

describe('kernels', () => {
  it.each(otherOps.map((c) => [titleOf(c), c] as const))('%s', (_, c) => check(c))

  it('are all here', ({ expect }) => {
    const elsewhere = [
      'linear',
      'linearGeglu',
      'projections',
      'concatLinear',
      'conv2d',
      'upsampleConv2d',
      ...tokenMerging.map(({ op }) => op),
    ]
    const tested = new Set<string>([...otherOps.map(({ op }) => op), ...elsewhere])
    expect(opNames.filter((name) => !tested.has(name))).toEqual([])
  })
})
