// Matrices in int8: the kernels must be as exact over what int8 made of the weights as over any other weights.

import { describe, it } from 'vitest'
import { conv, convolutions } from '../../lib/selftest/cases/conv2d.ts'
import { gatedLinears, joinedLinears, linears } from '../../lib/selftest/cases/linear.ts'
import type { OpCase } from '../../lib/selftest/op-case.ts'
import { check, everyFifth, titleOf } from './harness.ts'

const groups: Readonly<Record<string, readonly OpCase[]>> = {
  'linear, small and odd': linears['small and odd']!,
  'linear, several stretches of depth': linears['several stretches of depth']!,
  'linear, epilogues': linears.epilogues!,
  gated: gatedLinears,
  joined: everyFifth(joinedLinears),
  'conv2d, every combination': everyFifth(convolutions['every combination']!),
  'conv2d, odd': convolutions.odd!,
  'conv2d, epilogues': convolutions.epilogues!,
  'conv2d, as in the models': convolutions['as in the models']!,
  winograd: everyFifth(convolutions.winograd!),
  // A last panel of one column, and of one vector or two.
  'winograd by blocks of tiles': [17, 20].flatMap((o) =>
    (['winograd4', 'winograd6'] as const).map((algorithm) =>
      conv({ n: 2, h: 33, w: 50, c: 24, o, k: 3, pad: 1, dtype: 'f16', algorithm }),
    ),
  ),
  // In groups of tiles, and in blocks.
  'winograd of stride 2': [
    { n: 2, h: 9, w: 10, c: 20, o: 33, pad: [0, 0, 1, 1] as const, given: ['bias', 'residual'] },
    { h: 130, w: 141, c: 20, o: 17, pad: 1, given: ['bias'] },
  ].map((size) => conv({ ...size, k: 3, stride: 2, dtype: 'f16', algorithm: 'winograd4' })),
}

describe.each(Object.entries(groups))('%s', (_, cases) => {
  it.each(cases.map((c) => [titleOf(c), c] as const))('%s', (_title, c) => check(c, { matrices: 'int8' }))
})
