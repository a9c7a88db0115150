// Strassen's algorithm.

import { describe, it } from 'vitest'
import { strassenCases } from './cases/strassen.ts'
import { check, titleOf } from './harness.ts'

describe('in floats', () => {
  it.each(strassenCases.map((c) => [titleOf(c), c] as const))('%s', (_title, c) => check(c))
})

describe('over int8 weights', () => {
  const cases = strassenCases.filter(({ dtype }) => dtype === 'f16')
  it.each(cases.map((c) => [titleOf(c), c] as const))('%s', (_title, c) => check(c, { matrices: 'int8' }))
})
