// Reading a tokenizer folder of the diffusers layout: vocab.json and merges.txt, or tokenizer.json, and the optional settings.

import { join } from 'node:path'
import { TintypeError } from '../errors.ts'
import { readRegularFile } from '../regular-file.ts'
import { parseTokenizerConfig, type TokenizerConfig } from './config.ts'
import { type Merges, parseMerges } from './merges.ts'
import { parseTokenizerJson, type TokenizerJson } from './tokenizer-json.ts'
import { parseVocabulary, type Vocabulary } from './vocabulary.ts'

/** The contents of a tokenizer folder, checked. */
export interface TokenizerFolder {
  readonly vocabulary: Vocabulary
  readonly merges: Merges
  readonly config: TokenizerConfig
}

/** CLIP's vocab.json has 0.9 MB, its merges.txt 0.5 MB, tokenizer.json both and more. */
const mostVocabularyBytes = 32 * 2 ** 20
/** A few kilobytes; more where a folder lists many tokens of its own. */
const mostSettingsBytes = 2 ** 21

/** The file's text; undefined when there is no such file. */
async function readText(path: string, mostBytes: number): Promise<string | undefined> {
  try {
    const bytes = await readRegularFile(path, {
      mostBytes,
      tooLarge: (size) =>
        new TintypeError('INVALID_CONFIG', `${path}: ${size} bytes is no part of a tokenizer.`),
      notAFile: () => new TintypeError('MODEL_NOT_FOUND', `${path} cannot be read: it is no regular file.`),
    })
    return bytes.toString()
  } catch (cause) {
    if (cause instanceof TintypeError) throw cause
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new TintypeError('MODEL_NOT_FOUND', `${path} cannot be read: ${cause}`, { cause })
  }
}

function missing(path: string): TintypeError {
  return new TintypeError('MODEL_NOT_FOUND', `${path} does not exist.`, {
    advice: 'A tokenizer folder holds vocab.json and merges.txt, or tokenizer.json.',
  })
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TintypeError('INVALID_CONFIG', `${path} is not JSON: ${cause}`, { cause })
  }
}

async function readOptionalJson(path: string, mostBytes = mostSettingsBytes): Promise<unknown> {
  const text = await readText(path, mostBytes)
  return text === undefined ? undefined : parseJson(text, path)
}

/** tokenizer.json, where a folder has no vocab.json or no merges.txt. */
async function readTokenizerJson(folder: string): Promise<TokenizerJson | undefined> {
  const path = join(folder, 'tokenizer.json')
  const json = await readOptionalJson(path, mostVocabularyBytes)
  return json === undefined ? undefined : parseTokenizerJson(json, path)
}

/**
 * Reads and checks a tokenizer folder. tokenizer.json is read only where vocab.json or merges.txt is missing: they are a
 * third of its size.
 *
 * @throws TintypeError `MODEL_NOT_FOUND` (a file is missing or unreadable), `INVALID_CONFIG` (damaged) or
 * `UNSUPPORTED_MODEL` (another kind of tokenizer)
 */
export async function readTokenizerFolder(folder: string): Promise<TokenizerFolder> {
  const paths = { vocabulary: join(folder, 'vocab.json'), merges: join(folder, 'merges.txt') }
  const [vocabulary, merges, config, specialTokens, addedTokens] = await Promise.all([
    readText(paths.vocabulary, mostVocabularyBytes),
    readText(paths.merges, mostVocabularyBytes),
    readOptionalJson(join(folder, 'tokenizer_config.json')),
    readOptionalJson(join(folder, 'special_tokens_map.json')),
    readOptionalJson(join(folder, 'added_tokens.json')),
  ])
  const settings = { config, specialTokens, addedTokens }
  if (vocabulary !== undefined && merges !== undefined) {
    return {
      vocabulary: parseVocabulary(parseJson(vocabulary, paths.vocabulary), paths.vocabulary),
      merges: parseMerges(merges, paths.merges),
      config: parseTokenizerConfig(settings, folder),
    }
  }
  const whole = await readTokenizerJson(folder)
  if (whole === undefined) throw missing(vocabulary === undefined ? paths.vocabulary : paths.merges)
  return {
    vocabulary: whole.vocabulary,
    merges: whole.merges,
    config: parseTokenizerConfig({ ...settings, listed: whole.added }, folder),
  }
}
