// The settings of a tokenizer folder: added tokens, special ones among them, and length, from tokenizer_config.json and
// the files that older and newer versions of transformers write beside it.

import * as z from 'zod'
import { TintypeError } from '../errors.ts'
import { show } from '../show.ts'
import { content, isShort, mostTokens, parseFields, tokenObject, tooMany } from './fields.ts'
import { checkTokenId } from './vocabulary.ts'

/** A token that is found in the prompt before byte-pair encoding, as a whole. */
export interface AddedToken {
  readonly text: string
  /** Sought in the normalised text (so in any letter case) instead of in the text as it was typed. */
  readonly normalized: boolean
  /** The id that the configuration gives it; undefined when the vocabulary does. */
  readonly id: number | undefined
}

/** What a tokenizer folder says beside its vocabulary. */
export interface TokenizerConfig {
  readonly bos: string
  readonly eos: string
  readonly pad: string
  readonly unk: string
  /** Ids per prompt at most, bos and eos included; Infinity where the folder sets no limit. */
  readonly maxLength: number
  readonly added: readonly AddedToken[]
}

/** An entry of a list of added tokens. */
export interface ListedToken {
  readonly content: string
  readonly normalized: boolean
  readonly id: number
  readonly lstrip?: boolean | undefined
  readonly rstrip?: boolean | undefined
  readonly single_word?: boolean | undefined
}

/** What a settings file holds, as JSON.parse made it; undefined for a file that is not there. */
export interface SettingsFiles {
  /** tokenizer_config.json */
  readonly config?: unknown
  /** special_tokens_map.json */
  readonly specialTokens?: unknown
  /** added_tokens.json, which transformers wrote before it had `added_tokens_decoder` */
  readonly addedTokens?: unknown
  /** `added_tokens` of tokenizer.json, checked. */
  readonly listed?: readonly ListedToken[] | undefined
}

const anyToken = z.union([content, tokenObject])
type AnyToken = z.output<typeof anyToken>
const token = anyToken.nullish()
const roles = z.object({ bos_token: token, eos_token: token, unk_token: token, pad_token: token })

// Fields that change the ids and have one supported value; fields that are not named do not change them.
const configSchema = roles.extend({
  tokenizer_class: z.enum(['CLIPTokenizer', 'CLIPTokenizerFast']).nullish(),
  model_max_length: z.number().min(3).refine(Number.isInteger, 'expected an integer').nullish(),
  padding_side: z.literal('right').nullish(),
  truncation_side: z.literal('right').nullish(),
  split_special_tokens: z.literal(false).nullish(),
  additional_special_tokens: z.array(anyToken).max(mostTokens).nullish(),
  added_tokens_decoder: z.record(z.string().regex(/^\d+$/), tokenObject).refine(isShort, tooMany).nullish(),
})

/** added_tokens.json: token -> id. */
const addedIds = z.record(content, z.number()).refine(isShort, tooMany)

function refuseStripping({ content, ...flags }: z.output<typeof tokenObject>, where: string): void {
  for (const flag of ['lstrip', 'rstrip', 'single_word'] as const) {
    if (flags[flag]) {
      throw new TintypeError(
        'UNSUPPORTED_MODEL',
        `${where}: the special token ${show(content)} has ${flag}: true.`,
      )
    }
  }
}

function textOf(value: AnyToken): string {
  return typeof value === 'string' ? value : value.content
}

/** The tokens of added_tokens.json: special ones are sought as typed, others in the normalised text. */
function oldTokens(json: unknown, special: ReadonlySet<string>, where: string): ListedToken[] {
  const ids = parseFields(addedIds, json ?? {}, `${where}/added_tokens.json`)
  return Object.entries(ids).map(([content, id]) => ({ content, id, normalized: !special.has(content) }))
}

/**
 * Reads the settings as Hugging Face does: special_tokens_map.json wins over tokenizer_config.json, except
 * where the latter has `added_tokens_decoder`, which makes all other files legacy.
 *
 * @param where the folder, for messages
 * @throws TintypeError `INVALID_CONFIG` or `UNSUPPORTED_MODEL`, naming the file and the field
 */
export function parseTokenizerConfig(files: SettingsFiles, where: string): TokenizerConfig {
  const settings = parseFields(configSchema, files.config ?? {}, `${where}/tokenizer_config.json`)
  const legacy = parseFields(roles, files.specialTokens ?? {}, `${where}/special_tokens_map.json`)
  const decoder = settings.added_tokens_decoder

  const roleOf = (name: keyof z.output<typeof roles>, otherwise: string): AnyToken =>
    (decoder ? undefined : legacy[name]) ?? settings[name] ?? otherwise
  const end = '<|endoftext|>'
  const [bos, eos] = [roleOf('bos_token', '<|startoftext|>'), roleOf('eos_token', end)]
  const [unk, pad] = [roleOf('unk_token', end), roleOf('pad_token', end)]

  const special = new Set([bos, eos, unk, pad, ...(settings.additional_special_tokens ?? [])].map(textOf))
  const entries = decoder
    ? Object.entries(decoder).map(([id, entry]) => ({ ...entry, id: Number(id) }))
    : [...oldTokens(files.addedTokens, special, where), ...(files.listed ?? [])]
  const added = new Map<string, AddedToken>()
  for (const entry of entries) {
    const { content, normalized, id } = entry
    refuseStripping(entry, where)
    checkTokenId(content, id, where)
    added.set(content, { text: content, normalized, id })
  }
  const listed = new Map(added)
  // A role given as a bare string is sought as typed; where two roles share a token, the later one decides.
  for (const value of [bos, eos, unk, pad]) {
    const text = textOf(value)
    if (typeof value !== 'string') refuseStripping(value, where)
    const normalized = typeof value === 'string' ? false : value.normalized
    added.set(text, listed.get(text) ?? { text, normalized, id: undefined })
  }

  return {
    bos: textOf(bos),
    eos: textOf(eos),
    pad: textOf(pad),
    unk: textOf(unk),
    // Hugging Face writes 1e30 for none.
    maxLength: settings.model_max_length ?? Infinity,
    added: [...added.values()],
  }
}
