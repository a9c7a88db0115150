// Convolutions.

import { describe, it } from 'vitest'
import { convolutions } from '../../lib/selftest/cases/conv2d.ts'
import { enlargements } from '../../lib/selftest/cases/upsample-conv2d.ts'
import { check, type MatrixCase, titleOf } from './harness.ts'

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

describe.each(Object.entries(enlargements))('of an enlarged picture, %s', (_, cases) => {
  it.each(cases.map((c) => [titleOf(c), c] as const))('%s', (_title, c) => check(c))
})

describe.each(Object.entries(convolutions))('%s', (_, cases) => {
  it.each(cases.map((c) => [title(c), c] as const))('%s', (_title, c) => check(c))
})
