// The text normalisation of CLIP's tokenizer: NFC, white space, lower case. HTML entities are left alone.

import { composeText } from './compose.ts'

/**
 * What Hugging Face's `CLIPTokenizer` does to text before it is cut into words.
 *
 * `\p{White_Space}` and not `\s`: they differ in U+0085 and U+FEFF. Lower case is taken code point by code point,
 * as Rust does, because `String.prototype.toLowerCase` knows that a final sigma differs.
 */
export function normalizeText(text: string): string {
  let lower = ''
  for (const character of composeText(text).replace(/\p{White_Space}+/gu, ' '))
    lower += character.toLowerCase()
  return lower
}
