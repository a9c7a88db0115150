// Convolutions.

import { describe, it } from 'vitest'
import { conv, convolutions } from '../../lib/selftest/cases/conv2d.ts'
import { check, type MatrixCase } from './harness.ts'

function title({ dims: d, params: p, dtype, given, inPlace }: MatrixCase): string {
  const k = d.kh === d.kw ? `k${d.kh}` : `k${d.kh}x${d.kw}`
  const pads = [p.padTop, p.padLeft, p.padBottom, p.padRight]
  const words = [`conv2d n=${d.n} c=${d.c}->${d.o} ${d.h}x${d.w} ${k} ${dtype}`]
  if (p.stride !== 1) words.push(`stride ${p.stride}`)
  if (pads.some((pad) => pad !== 0)) words.push(`pad ${new Set(pads).size === 1 ? pads[0] : pads.join(',')}`)
  if (p.upsample !== 1) words.push(`upsample ${p.upsample}`)
  if (p.algorithm !== 'direct') words.push(String(p.algorithm))
  if (p.activation !== 'none') words.push(String(p.activation))
  return [...words, ...given, ...(inPlace ? ['in place'] : [])].join(' ')
}

const moments = ['channelMean', 'channelVariance']

/** Winograd by blocks of tiles: parts of them, of chunks and slices of channels, of vectors. Too large for the self-test. */
const blocks = [
  { h: 98, w: 96, c: 70, o: 9, dtype: 'f16' as const },
  { h: 98, w: 98, c: 150, o: 3 },
  { n: 2, h: 130, w: 127, c: 3, o: 260, dtype: 'bf16' as const },
  { n: 3, h: 17, w: 16, c: 17, o: 20, upsample: 2, given: ['bias', 'rowBias'] },
  { h: 61, w: 67, c: 33, o: 17, activation: 'silu' as const, given: ['residual'], inPlace: true },
].flatMap((size) =>
  (['winograd4', 'winograd6'] as const).flatMap((algorithm) => [
    conv({ ...size, k: 3, pad: 1, algorithm, given: [...(size.given ?? []), ...moments] }),
    conv({
      ...{ ...size, k: 3, pad: [2, 0, 1, 1], algorithm, inputActivation: 'silu' },
      given: [...(size.given ?? []), 'mean', 'factor', 'shift'],
    }),
  ]),
)

/** Winograd by shared patches: tiles in several groups, and these in several stretches. */
const groups = (['winograd4', 'winograd6'] as const).flatMap((algorithm) => [
  conv({ h: 72, w: 66, c: 80, o: 6, k: 3, pad: 1, dtype: 'f16', algorithm, given: moments }),
  conv({
    ...{ h: 72, w: 66, c: 320, o: 4, k: 3, pad: 1, algorithm, inputActivation: 'silu' },
    given: ['bias', 'mean', 'factor', 'shift'],
  }),
])

/** Moments of channels: of pictures of which several share a group or a block has one alone, and far from 0. */
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

describe.each(Object.entries({ ...convolutions, blocks, groups, measured }))('%s', (_, cases) => {
  it.each(cases.map((c) => [title(c), c] as const))('%s', (_title, c) => check(c))
})
