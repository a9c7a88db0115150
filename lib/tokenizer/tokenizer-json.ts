// tokenizer.json: vocabulary, merges and added tokens in one file, the only one that transformers 5 saves.

import * as z from 'zod'
import type { ListedToken } from './config.ts'
import { listedToken, mostTokens, parseFields } from './fields.ts'
import { listMerges, type Merges } from './merges.ts'
import { parseVocabulary, type Vocabulary } from './vocabulary.ts'

/** What a tokenizer.json holds, checked. */
export interface TokenizerJson {
  readonly vocabulary: Vocabulary
  readonly merges: Merges
  /** The entries of `added_tokens`. */
  readonly added: readonly ListedToken[]
}

// What comes before byte-pair encoding, with the values that CLIP's tokenizer has and normalize.ts and clip.ts compute.
const replaceSpace = z.object({
  type: z.literal('Replace'),
  pattern: z.object({ Regex: z.literal('\\s+') }),
  content: z.literal(' '),
})
const normalizer = z.object({
  type: z.literal('Sequence'),
  normalizers: z.tuple([
    z.object({ type: z.literal('NFC') }),
    replaceSpace,
    z.object({ type: z.literal('Lowercase') }),
  ]),
})

/** transformers 4 did not name the special tokens here; transformers 5 goes by its own pattern, whatever the file says. */
const wordPattern = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"
const splitWords = z.object({
  type: z.literal('Split'),
  pattern: z.object({
    Regex: z.literal([`<\\|startoftext\\|>|<\\|endoftext\\|>|${wordPattern}`, wordPattern]),
  }),
  behavior: z.literal('Removed'),
  invert: z.literal(true),
})
const byteLevel = z.object({
  type: z.literal('ByteLevel'),
  add_prefix_space: z.literal(false),
  use_regex: z.literal(true).nullish(),
})

const bpe = z.object({
  type: z.literal('BPE').nullish(),
  dropout: z.literal(0).nullish(),
  continuing_subword_prefix: z.literal('').nullish(),
  end_of_word_suffix: z.literal('</w>'),
  fuse_unk: z.literal(false).nullish(),
  byte_fallback: z.literal(false).nullish(),
  ignore_merges: z.literal(false).nullish(),
  vocab: z.unknown(),
  merges: z.array(z.unknown()),
})

// Padding, truncation and post_processor are left alone: transformers, too, has them from tokenizer_config.json.
const contents = z.object({ model: bpe, added_tokens: z.array(listedToken).max(mostTokens).default([]) })
const steps = z.object({
  normalizer,
  pre_tokenizer: z.object({
    type: z.literal('Sequence'),
    pretokenizers: z.tuple([splitWords, byteLevel]),
  }),
})

/**
 * @param json the parsed file
 * @param path its path, for messages
 * @throws TintypeError `INVALID_CONFIG` (damaged) or `UNSUPPORTED_MODEL` (no tokenizer of CLIP)
 */
export function parseTokenizerJson(json: unknown, path: string): TokenizerJson {
  const { model, added_tokens } = parseFields(contents, json, path)
  parseFields(steps, json, path, 'UNSUPPORTED_MODEL')
  return {
    vocabulary: parseVocabulary(model.vocab, `${path}: model.vocab`),
    merges: listMerges(model.merges, path),
    added: added_tokens,
  }
}
