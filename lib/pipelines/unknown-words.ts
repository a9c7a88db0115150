// What a prompt says that the model was never shown: it paints something all the same, which nobody asked for.

import { shorten } from '../show.ts'
import type { Model } from './model.ts'

/** A warning names no more, and no more are looked for: each is encoded by itself. */
const mostNamed = 8
const mostSought = 128

/** Letters and digits; what follows an apostrophe is an ending. */
const wordsOf = (prompt: string): string[] =>
  prompt
    .toLowerCase()
    .split(/[^\p{L}\p{M}\p{N}'\u2019]+/u)
    .map((word) => word.split(/['\u2019]/)[0]!)
    .filter((word) => word !== '')

/** Says which words of the prompts have a token that the model was not trained with, if any and if that is known. */
export function unknownWords(
  { name, tokenizer, knownTokens }: Pick<Model, 'name' | 'tokenizer' | 'knownTokens'>,
  prompts: readonly string[],
): readonly string[] {
  if (!knownTokens) return []
  const words = [...new Set(prompts.flatMap(wordsOf))].slice(0, mostSought)
  const unknown = words.filter((word) => tokenizer.encode(word).some((id) => !knownTokens.has(id)))
  if (unknown.length === 0) return []
  const more = unknown.length > mostNamed ? ', ...' : ''
  const named = unknown.slice(0, mostNamed).map((word) => shorten(word))
  return [`The model "${name}" was never shown: ${named.join(', ')}${more}.`]
}
