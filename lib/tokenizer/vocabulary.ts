// The tokens of vocab.json and their ids, both ways.

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
