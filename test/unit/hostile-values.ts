// Values that are valid JSON and made to hurt whoever repeats them in a message: JSON.stringify overflows the stack on some.

import { expect } from 'vitest'

/** As they are spelled. */
export const hostileTexts: readonly (readonly [what: string, json: string])[] = [
  ['a deep list', `${'['.repeat(1e5)}${']'.repeat(1e5)}`],
  ['a deep object', `${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}`],
  ['a long text', `"${'x'.repeat(1e6)}"`],
  ['a long list', `[${'0.5,'.repeat(1e5)}0.5]`],
]

export const hostileValues = hostileTexts.map(([what, json]): [string, unknown] => [what, JSON.parse(json)])

/** The JSON of `json` with a text of `hostileTexts` where it has `placeholder`. */
export const spelled = (json: unknown, text: string): string =>
  JSON.stringify(json).replaceAll(JSON.stringify(placeholder), text)
export const placeholder = 'something hostile'

/** Each field of a good file, and one of an odd name, replaced. */
export const replaced = (json: object, value: unknown): readonly object[] =>
  [...Object.keys(json), 'x'.repeat(1e6)].map((field) => ({ ...json, [field]: value }))

/** A field that nobody reads may hold anything; whoever refuses it does so with a typed error and in few words. */
export function expectFewWords(parse: () => unknown): void {
  let error: unknown
  try {
    parse()
  } catch (thrown) {
    error = thrown
  }
  if (error !== undefined) {
    expect(error).toMatchObject({ code: expect.any(String), message: expect.stringMatching(/^.{1,600}$/s) })
  }
}
