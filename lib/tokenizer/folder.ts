// Reading a tokenizer folder of the diffusers layout: vocab.json, merges.txt and the optional settings.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TintypeError } from '../errors.ts'
import { parseTokenizerConfig, type TokenizerConfig } from './config.ts'
import { Vocabulary } from './vocabulary.ts'

/** The contents of a tokenizer folder, checked. */
export interface TokenizerFolder {
  readonly vocabulary: Vocabulary
  /** Two tokens with a space between -> the rank of their merge, 0 the best. */
  readonly merges: ReadonlyMap<string, number>
  readonly config: TokenizerConfig
}

/** The file's text; undefined when there is no such file. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path)).toString()
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new TintypeError('MODEL_NOT_FOUND', `${path} cannot be read: ${cause}`, { cause })
  }
}

async function readRequired(path: string): Promise<string> {
  const text = await readText(path)
  if (text !== undefined) return text
  throw new TintypeError('MODEL_NOT_FOUND', `${path} does not exist.`, {
    advice: 'A tokenizer folder holds vocab.json and merges.txt.',
  })
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TintypeError('INVALID_CONFIG', `${path} is not JSON: ${cause}`, { cause })
  }
}

async function readOptionalJson(path: string): Promise<unknown> {
  const text = await readText(path)
  return text === undefined ? undefined : parseJson(text, path)
}

/** Ids above this are no vocabulary but damage; CLIP's has 49,408. */
const largestId = 2 ** 22

function parseVocabulary(json: unknown, path: string): Vocabulary {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new TintypeError('INVALID_CONFIG', `${path}: expected an object from token to id.`)
  }
  const ids = json as Record<string, number>
  const tokens: string[] = []
  for (const token of Object.keys(ids)) {
    const id = ids[token]!
    if (!Number.isInteger(id) || id < 0 || id > largestId) {
      throw new TintypeError('INVALID_CONFIG', `${path}: expected a token id for "${token}", got ${id}.`)
    }
    tokens[id] = token
  }
  return new Vocabulary(ids, tokens)
}

function parseMerges(text: string, path: string): Map<string, number> {
  const merges = new Map<string, number>()
  text.split('\n').forEach((raw, index) => {
    const line = raw.trimEnd()
    if (line === '' || (index === 0 && line.startsWith('#version'))) return
    const space = line.indexOf(' ')
    if (space < 1 || line.includes(' ', space + 1)) {
      throw new TintypeError(
        'INVALID_CONFIG',
        `${path}:${index + 1}: expected two tokens, got "${line.slice(0, 80)}".`,
      )
    }
    merges.set(line, merges.size)
  })
  return merges
}

/**
 * Reads and checks a tokenizer folder.
 *
 * @throws TintypeError `MODEL_NOT_FOUND` (a file is missing or unreadable), `INVALID_CONFIG` (damaged) or
 * `UNSUPPORTED_MODEL` (another kind of tokenizer)
 */
export async function readTokenizerFolder(folder: string): Promise<TokenizerFolder> {
  const vocabularyPath = join(folder, 'vocab.json')
  const mergesPath = join(folder, 'merges.txt')
  const [vocabulary, merges, config, map] = await Promise.all([
    readRequired(vocabularyPath),
    readRequired(mergesPath),
    readOptionalJson(join(folder, 'tokenizer_config.json')),
    readOptionalJson(join(folder, 'special_tokens_map.json')),
  ])
  return {
    vocabulary: parseVocabulary(parseJson(vocabulary, vocabularyPath), vocabularyPath),
    merges: parseMerges(merges, mergesPath),
    config: parseTokenizerConfig(config, map, folder),
  }
}
