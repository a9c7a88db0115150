// Values in error messages: as they are where they are short, and nothing that hurts where they are not.

import { describe, expect, it } from 'vitest'
import { show } from '../../lib/show.ts'

const deep: unknown = JSON.parse(`${'['.repeat(1e5)}${']'.repeat(1e5)}`)

describe('show', () => {
  it.each<[unknown, string]>([
    ['silu', '"silu"'],
    ['a "quoted"\n', '"a \\"quoted\\"\\n"'],
    [1.5, '1.5'],
    [Number.NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [12n, '12'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [Symbol('a'), 'Symbol(a)'],
    [() => 1, 'a function'],
    [[], '[]'],
    [[768, 'a', null], '[768, "a", null]'],
    [[[1], [2]], 'a list'],
    [Array(1e6).fill(0), 'a list'],
    [['x'.repeat(60), 'y'], 'a list'],
    [{}, '{}'],
    [{ a: 1 }, 'an object'],
    [deep, 'a list'],
    [{ deep }, 'an object'],
  ])('case %#: %.20s', (value, text) => {
    expect(show(value)).toBe(text)
  })

  it('cuts long texts', () => {
    expect(show('x'.repeat(60))).toBe(`"${'x'.repeat(60)}"`)
    expect(show('x'.repeat(61))).toBe(`"${'x'.repeat(57)}..."`)
  })
})
