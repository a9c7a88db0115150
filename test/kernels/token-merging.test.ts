// The ops of token merging.

import { describe, it } from 'vitest'
import { tokenMerging } from '../../lib/selftest/cases/token-merging.ts'
import { check, titleOf } from './harness.ts'

describe('kernels', () => {
  // Cases that differ in their numbers alone have the same title.
  it.each(tokenMerging.map((c, i) => [`${i} ${titleOf(c)}`, c] as const))('%s', (_, c) => check(c))
})
