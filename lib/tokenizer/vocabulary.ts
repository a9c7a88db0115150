// The tokens of vocab.json or tokenizer.json and their ids, both ways.

import { TintypeError } from '../errors.ts'
import { show } from '../show.ts'

/** Ids above this are no vocabulary but damage; CLIP's has 49,408. */
const largestId = 2 ** 22

/** @throws TintypeError `INVALID_CONFIG`, naming `where`, the file or its field */
export function checkTokenId(token: string, id: number, where: string): void {
  if (!Number.isInteger(id) || id < 0 || id > largestId) {
    throw new TintypeError(
      'INVALID_CONFIG',
      `${where}: expected a token id for ${show(token)}, got ${show(id)}.`,
    )
  }
}

/**
 * Tokens and ids. It keeps the object that JSON.parse made, since a Map of CLIP's 49,408 tokens takes longer to fill than
 * the file to parse.
 */
export class Vocabulary {
  readonly #ids: Readonly<Record<string, number>>
  readonly #tokens: readonly string[]

  /**
   * @param ids token -> id, each a non-negative integer
   * @param tokens the same by ids
   */
  constructor(ids: Readonly<Record<string, number>>, tokens: readonly string[]) {
    this.#ids = ids
    this.#tokens = tokens
  }

  idOf(token: string): number | undefined {
    return Object.hasOwn(this.#ids, token) ? this.#ids[token] : undefined
  }

  tokenOf(id: number): string | undefined {
    return this.#tokens[id]
  }
}

/**
 * @param json an object from token to id, as JSON.parse made it
 * @param where the file, or its field, for messages
 * @throws TintypeError `INVALID_CONFIG`
 */
export function parseVocabulary(json: unknown, where: string): Vocabulary {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new TintypeError('INVALID_CONFIG', `${where}: expected an object from token to id.`)
  }
  const ids = json as Record<string, number>
  const tokens: string[] = []
  for (const token of Object.keys(ids)) {
    const id = ids[token]!
    checkTokenId(token, id, where)
    if (tokens[id] !== undefined) {
      throw new TintypeError(
        'INVALID_CONFIG',
        `${where}: ${show(tokens[id])} and ${show(token)} have one id, ${id}.`,
      )
    }
    tokens[id] = token
  }
  return new Vocabulary(ids, tokens)
}
