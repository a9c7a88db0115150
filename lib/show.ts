// Values from outside as error messages show them: as JSON writes them, and short, however long or deep they are.

const mostCharacters = 60

/** A text, cut where it is long. */
export const shorten = (text: string, most = mostCharacters): string =>
  text.length > most ? `${text.slice(0, most - 3)}...` : text

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** A value; objects and long or deep lists by their type alone, for JSON.stringify overflows the stack on what JSON.parse reads. */
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
