// Our ordering of long mark runs against ICU's, on runs that ICU still manages.

import { expect, test } from 'vitest'
import { sortLongMarkRuns } from '../../../lib/tokenizer/canonical-order.ts'

/** Deterministic picks: a linear congruential generator (Numerical Recipes). */
function* picks<T>(from: readonly T[], count: number): Generator<T> {
  for (let i = 0, state = 12345; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield from[Math.floor((state / 2 ** 32) * from.length)]!
  }
}

const marks = Array.from({ length: 0x2000 }, (_, c) => String.fromCharCode(c)).filter((c) => /\p{M}/u.test(c))

test('short runs are left alone', () => {
  const text = `a${'\u0301\u0327'.repeat(100)}b`
  expect(sortLongMarkRuns(text)).toBe(text)
})

test('long runs are sorted as ICU would, for every combining class', () => {
  expect(marks.length).toBeGreaterThan(700)
  const run = [...picks(marks, 4000)].join('')
  const sorted = sortLongMarkRuns(`é${run}b${run}`)
  expect(sorted).not.toBe(`é${run}b${run}`)
  expect(sorted.slice(1).split('b')[0]).toBe(run.normalize('NFD'))
  expect(sorted.normalize('NFC')).toBe(`é${run}b${run}`.normalize('NFC'))
})
