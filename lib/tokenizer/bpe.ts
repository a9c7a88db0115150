// Byte-pair encoding of one word: its merges, lowest rank first. It knows no Unicode and no prompts.

import { TintypeError } from '../errors.ts'
import { show } from '../show.ts'
import { byteCharacters, tokenBytes } from './byte-alphabet.ts'
import type { Merges } from './merges.ts'
import { MinHeap } from './min-heap.ts'
import type { Vocabulary } from './vocabulary.ts'

/** What marks the last symbol of a word in CLIP's vocabulary. */
const endOfWord = '</w>'

/** Room for positions inside a heap key, which stays below 2^53. */
const positions = 2 ** 32

/**
 * Byte-pair encoding (Sennrich et al., arXiv:1508.07909) over bytes, with an end-of-word suffix, as in the
 * `BPE` model of Hugging Face tokenizers.
 *
 * A heap of candidate pairs over a linked list of symbols: O(n log n), so a megabyte without a space is encoded
 * in about a second and not in hours.
 */
export class Bpe {
  readonly #vocabulary: Vocabulary
  readonly #merges: Merges
  readonly #inner: Int32Array
  readonly #last: Int32Array

  /**
   * @param unknownId the id of a byte that the vocabulary lacks
   */
  constructor(vocabulary: Vocabulary, merges: Merges, unknownId: number) {
    this.#vocabulary = vocabulary
    this.#merges = merges
    const byteIds = (suffix: string) =>
      Int32Array.from(byteCharacters, (character) => vocabulary.idOf(character + suffix) ?? unknownId)
    this.#inner = byteIds('')
    this.#last = byteIds(endOfWord)
  }

  /** The merge of two symbols, if there is one. */
  #rankOf(left: number, right: number): number | undefined {
    return this.#merges.get(`${this.#vocabulary.tokenOf(left)} ${this.#vocabulary.tokenOf(right)}`)
  }

  #merged(left: number, right: number): number {
    const token = `${this.#vocabulary.tokenOf(left)}${this.#vocabulary.tokenOf(right)}`
    const id = this.#vocabulary.idOf(token)
    if (id === undefined) {
      throw new TintypeError(
        'INVALID_CONFIG',
        `A merge makes the token ${show(token)}, which the vocabulary lacks.`,
      )
    }
    return id
  }

  /**
   * The ids of one word (text without white space; lone surrogates count as U+FFFD).
   *
   * @throws TintypeError `INVALID_CONFIG` when a merge makes a token that the vocabulary lacks
   */
  encode(word: string): number[] {
    const bytes = new TextEncoder().encode(word)
    const n = bytes.length
    if (n === 0) return []
    const ids = Int32Array.from(bytes, (byte) => this.#inner[byte]!)
    ids[n - 1] = this.#last[bytes[n - 1]!]!
    // Symbols as a doubly linked list over byte positions; n is the end, -1 a symbol merged away.
    const next = Int32Array.from(ids, (_, i) => i + 1)
    const previous = Int32Array.from(ids, (_, i) => i - 1)

    const rankAt = (at: number): number | undefined => {
      const right = next[at]!
      return right === n ? undefined : this.#rankOf(ids[at]!, ids[right]!)
    }
    const candidates = new MinHeap()
    const offer = (at: number): void => {
      const rank = rankAt(at)
      if (rank !== undefined) candidates.push(rank * positions + at)
    }
    for (let at = 0; at < n; at++) offer(at)

    // Equal ranks leave the heap leftmost first, which is the order of the definition.
    for (let key = candidates.pop(); key !== undefined; key = candidates.pop()) {
      const rank = Math.floor(key / positions)
      const at = key - rank * positions
      if (ids[at] === -1 || rankAt(at) !== rank) continue
      const right = next[at]!
      ids[at] = this.#merged(ids[at]!, ids[right]!)
      ids[right] = -1
      next[at] = next[right]!
      if (next[at] !== n) previous[next[at]!] = at
      offer(at)
      if (previous[at] !== -1) offer(previous[at]!)
    }

    const out: number[] = []
    for (let at = 0; at < n; at = next[at]!) out.push(ids[at]!)
    return out
  }

  /** The text that ids spell, a space at each end of word; bytes that are no UTF-8 become U+FFFD. */
  decode(ids: readonly number[]): string {
    const spelled = ids.map((id) => this.#vocabulary.tokenOf(id) ?? '').join('')
    return new TextDecoder().decode(Uint8Array.from(tokenBytes(spelled))).replaceAll(endOfWord, ' ')
  }
}
