// Values from outside as error messages show them: short, however long or deep they are.

import { inspect } from 'node:util'

const mostCharacters = 60

/** A text, cut where it is long. */
export const shorten = (text: string, most = mostCharacters): string =>
  text.length > most ? `${text.slice(0, most - 3)}...` : text

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** What a file holds, as JSON writes it; objects and long or deep lists by their type alone, for JSON.stringify overflows the stack on what JSON.parse reads. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value))
  if (Array.isArray(value)) {
    // A list of more has no room for its commas.
    const isShort = value.length <= mostCharacters / 2 && !value.some(isObject)
    const text = isShort ? `[${value.map(show).join(', ')}]` : ''
    return isShort && text.length <= mostCharacters ? text : 'a list'
  }
  if (isObject(value)) return Object.keys(value).length === 0 ? '{}' : 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}

/** What a caller gave, as Node's console writes it, on one line. */
export function showArgument(value: unknown): string {
  const shown = inspect(value, { depth: 1, maxArrayLength: 4, maxStringLength: 40, breakLength: Infinity })
  return shorten(shown, 80)
}
