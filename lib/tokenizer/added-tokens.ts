// Added tokens, which are found in a text as wholes, before byte-pair encoding.

/** A stretch of the prompt: an added token with its id, or text yet to be encoded. */
export interface Piece {
  readonly text: string
  readonly id?: number
}

/** Some added tokens: those that are sought in the text as it was typed, or those of the normalised text. */
export class AddedTokens {
  readonly #ids = new Map<string, number>()
  readonly #pattern: RegExp | undefined

  /** Of two tokens with one text the first counts; in Hugging Face tokenizers either may, from load to load. */
  constructor(tokens: Iterable<readonly [text: string, id: number]>) {
    for (const [text, id] of tokens) if (!this.#ids.has(text)) this.#ids.set(text, id)
    if (this.#ids.size === 0) return
    // Not the hyphen: outside of a class, the u flag refuses `\-`.
    const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    const longestFirst = [...this.#ids.keys()].sort((a, b) => b.length - a.length)
    this.#pattern = new RegExp(`(${longestFirst.map(literal).join('|')})`, 'u')
  }

  /** Text cut at the tokens, which keep their place between the stretches. */
  *cut(text: string): Generator<Piece> {
    const stretches = this.#pattern === undefined ? [text] : text.split(this.#pattern)
    for (const [i, stretch] of stretches.entries()) {
      if (i % 2 === 1) yield { text: stretch, id: this.#ids.get(stretch)! }
      else yield { text: stretch }
    }
  }
}
