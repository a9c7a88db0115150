// Linear layers, gated ones among them.

import { describe, it } from 'vitest'
import { concatenated, gatedLinears, joinedLinears, linears } from '../../lib/selftest/cases/linear.ts'
import { check, type MatrixCase, titleOf } from './harness.ts'

const title = ({ dims, params, dtype, given, inPlace }: MatrixCase) => {
  const rest = params.activation === 'none' ? given : [...given, params.activation]
  return `linear m=${dims.m} ${dims.k}->${dims.n} ${dtype} ${rest.join(' ')}${inPlace ? ' in place' : ''}`
}

describe('joined', () => {
  it.each(joinedLinears.map((c) => [titleOf(c), c] as const))('%s', (_title, c) => check(c))
})

describe('of two values side by side', () => {
  it.each(concatenated.map((c) => [titleOf(c), c] as const))('%s', (_title, c) => check(c))
})

describe('gated', () => {
  it.each(gatedLinears.map((c) => [titleOf(c), c] as const))('%s', (_title, c) => check(c))
})

describe.each(Object.entries(linears))('%s', (_, cases) => {
  it.each(cases.map((c) => [title(c), c] as const))('%s', (_title, c) => check(c))
})

/** Three threads share copies of two blocks of rows: three blocks of columns, and more numbers than are near. */
const sharedRows: MatrixCase = {
  ...{ op: 'linear', dims: { m: 180, n: 192, k: 800 }, params: { activation: 'none' } },
  ...{ dtype: 'f16', given: ['bias'], inPlace: false },
}

it('shares copies of rows', () => check(sharedRows))
