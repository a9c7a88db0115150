// CLIP's tokenizer: from a prompt to the 77 ids that the text encoder reads.

import { TintypeError } from '../errors.ts'
import { show } from '../show.ts'
import { AddedTokens, type Piece } from './added-tokens.ts'
import { Bpe } from './bpe.ts'
import { readTokenizerFolder, type TokenizerFolder } from './folder.ts'
import { normalizeText } from './normalize.ts'

/** A prompt as the text encoder wants it. */
export interface Tokenized {
  /** (maxLength): bos, the prompt, eos, padding. */
  readonly ids: Int32Array
  /** The part of the prompt that did not fit, normalised as the tokenizer read it; undefined when all fitted. */
  readonly truncated: string | undefined
}

const usualPositions = 77

/**
 * Contractions, runs of letters, single digits, runs of anything else. The two special tokens are named because
 * Hugging Face's pattern names them: where they are not taken out before, they still end a run of symbols.
 */
const wordPattern =
  /<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+/gu

/** The second cut of Hugging Face's pipeline (its byte-level pattern) parts only these words. */
const specialWord = /^(<\|)(startoftext|endoftext)(\|>)$/

function* words(text: string): Generator<string> {
  for (const [word] of text.matchAll(wordPattern)) {
    const parts = specialWord.exec(word)
    if (parts === null) yield word
    else yield* parts.slice(1)
  }
}

/**
 * The byte-pair tokenizer of CLIP (Radford et al., arXiv:2103.00020), giving exactly the ids of Hugging Face's
 * `CLIPTokenizer` (transformers 5, tokenizers 0.23), which diffusers uses. It differs from OpenAI's first one: no
 * ftfy, no decoding of HTML entities. Characters that Unicode added after 15.1 are letters or not by the ICU of the
 * running Node.
 *
 * @example
 * const tokenizer = await ClipTokenizer.load('models/default/tokenizer')
 * tokenizer.tokenize('a red apple').ids // Int32Array(77) [49406, 320, 736, 3055, 49407, 49407, ...]
 */
export class ClipTokenizer {
  /** Ids per prompt, bos and eos included: 77 for every published Stable Diffusion model. */
  readonly maxLength: number
  readonly bosId: number
  readonly eosId: number
  /** `<|endoftext|>` in SD 1.x, `!` (id 0) in SD 2.x. */
  readonly padId: number
  readonly #bpe: Bpe
  readonly #asTyped: AddedTokens
  readonly #normalized: AddedTokens

  /**
   * Reads vocab.json and merges.txt, or tokenizer.json where they are missing, and the settings files that are there.
   *
   * @param positions those of the text encoder: no prompt gets more ids
   * @throws TintypeError `MODEL_NOT_FOUND`, `INVALID_CONFIG` or `UNSUPPORTED_MODEL`
   */
  static async load(folder: string, positions = usualPositions): Promise<ClipTokenizer> {
    return new ClipTokenizer(await readTokenizerFolder(folder), positions)
  }

  constructor({ vocabulary, merges, config }: TokenizerFolder, positions = usualPositions) {
    const ids = new Map<string, number>()
    const texts = new Map<number, string>()
    for (const { text, id: configured } of config.added) {
      const id = vocabulary.idOf(text) ?? configured
      if (id === undefined) {
        throw new TintypeError('INVALID_CONFIG', `The vocabulary lacks the special token ${show(text)}.`)
      }
      const other = vocabulary.tokenOf(id) ?? texts.get(id) ?? text
      if (other !== text) {
        throw new TintypeError(
          'INVALID_CONFIG',
          `The added token ${show(text)} has the id ${id}, which is that of ${show(other)}.`,
        )
      }
      ids.set(text, id)
      texts.set(id, text)
    }
    const idOf = (text: string) => ids.get(text)!
    this.maxLength = Math.min(config.maxLength, positions)
    this.bosId = idOf(config.bos)
    this.eosId = idOf(config.eos)
    this.padId = idOf(config.pad)
    this.#bpe = new Bpe(vocabulary, merges, idOf(config.unk))
    const sought = (normalized: boolean) => config.added.filter((token) => token.normalized === normalized)
    this.#asTyped = new AddedTokens(sought(false).map(({ text }) => [text, idOf(text)]))
    this.#normalized = new AddedTokens(sought(true).map(({ text }) => [normalizeText(text), idOf(text)]))
  }

  /**
   * The ids of a prompt between bos and eos, padded to `maxLength`; what does not fit is cut and named.
   * The text after the cut is not encoded, so that a prompt of any length costs little.
   */
  tokenize(prompt: string): Tokenized {
    const room = this.maxLength - 2
    const ids: number[] = []
    let cut: string[] | undefined
    for (const piece of this.#pieces(prompt)) {
      if (cut !== undefined) cut.push(piece.text)
      else {
        const pieceIds = this.#encodePiece(piece)
        const fitting = Math.min(pieceIds.length, room - ids.length)
        for (let i = 0; i < fitting; i++) ids.push(pieceIds[i]!)
        if (fitting < pieceIds.length) cut = [this.#bpe.decode(pieceIds.slice(fitting)).trimEnd()]
      }
    }
    const padded = new Int32Array(this.maxLength).fill(this.padId)
    padded.set([this.bosId, ...ids, this.eosId])
    return { ids: padded, truncated: cut?.join(' ') }
  }

  /** All ids of a text, of any length, without bos, eos and padding. */
  encode(text: string): number[] {
    const ids: number[] = []
    for (const piece of this.#pieces(text)) for (const id of this.#encodePiece(piece)) ids.push(id)
    return ids
  }

  #encodePiece({ text, id }: Piece): number[] {
    return id === undefined ? this.#bpe.encode(text) : [id]
  }

  *#pieces(text: string): Generator<Piece> {
    for (const typed of this.#asTyped.cut(text)) {
      if (typed.id !== undefined) yield typed
      else {
        for (const stretch of this.#normalized.cut(normalizeText(typed.text))) {
          if (stretch.id !== undefined) yield stretch
          else for (const word of words(stretch.text)) yield { text: word }
        }
      }
    }
  }
}
