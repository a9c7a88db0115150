// How many keys a JSON text spells out; JSON.parse hides the ones that are written twice.

/** Counts the `"key":` of a text that is known to be valid JSON. */
export function jsonKeyCount(text: string): number {
  let keys = 0
  let at = text.indexOf('"')
  while (at >= 0) {
    let end = at + 1
    while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1
    end++
    while (' \t\n\r'.includes(text[end] ?? '.')) end++
    if (text[end] === ':') keys++
    at = text.indexOf('"', end)
  }
  return keys
}
