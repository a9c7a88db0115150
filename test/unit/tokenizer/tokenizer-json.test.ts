// tokenizer.json in place of vocab.json and merges.txt: a folder as transformers 5 saves it, older forms, other tokenizers.

import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TintypeError } from '../../../lib/errors.ts'
import { ClipTokenizer } from '../../../lib/tokenizer/clip.ts'
import { readTokenizerFolder } from '../../../lib/tokenizer/folder.ts'

interface Saved {
  added_tokens?: object[]
  normalizer: { normalizers: object[] } | null
  pre_tokenizer: { pretokenizers: { pattern?: { Regex: string }; use_regex?: boolean }[] }
  model: Record<string, unknown> & { vocab: Record<string, unknown>; merges: unknown[] }
}

interface Golden {
  readonly cases: readonly (readonly [text: string, ids: readonly number[]])[]
}

const golden: Golden = JSON.parse(readFileSync('test/golden/tokenizer/saved.json', 'utf8'))
const savedText = readFileSync('test/golden/tokenizer/saved/tokenizer.json', 'utf8')
const settings = readFileSync('test/golden/tokenizer/saved/tokenizer_config.json', 'utf8')

function expectGoldenIds(tokenizer: ClipTokenizer): void {
  for (const [text, ids] of golden.cases) {
    expect([...tokenizer.tokenize(text).ids], JSON.stringify(text)).toEqual(ids)
  }
}

test(`a folder that transformers 5 saved gives its ids for ${golden.cases.length} texts`, async () => {
  expect(golden.cases.length).toBeGreaterThan(60)
  expectGoldenIds(await ClipTokenizer.load('test/golden/tokenizer/saved'))
})

describe('load', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tintype-tokenizer-json-'))
    await writeFile(join(folder, 'tokenizer_config.json'), settings)
  })
  afterAll(() => rm(folder, { recursive: true }))

  async function load(change: (saved: Saved) => unknown): Promise<ClipTokenizer> {
    const saved: Saved = JSON.parse(savedText)
    const whole = change(saved) ?? saved
    await writeFile(join(folder, 'tokenizer.json'), typeof whole === 'string' ? whole : JSON.stringify(whole))
    return ClipTokenizer.load(folder)
  }

  test('the forms that transformers 4 wrote give the same ids', async () => {
    const older = await load(({ model, pre_tokenizer }) => {
      model.merges = model.merges.map((pair) => (pair as string[]).join(' '))
      for (const field of ['type', 'byte_fallback', 'ignore_merges']) delete model[field]
      const [split, bytes] = pre_tokenizer.pretokenizers
      split!.pattern!.Regex = split!.pattern!.Regex.replace(/^.*?endoftext\\\|>\|/, '')
      expect(split!.pattern!.Regex).toMatch(/^'s/)
      delete bytes!.use_regex
    })
    expectGoldenIds(older)
  })

  test('a folder with vocab.json alone is read from tokenizer.json, as Hugging Face does', async () => {
    await writeFile(join(folder, 'vocab.json'), '{}')
    expectGoldenIds(await load(() => undefined))
    await rm(join(folder, 'vocab.json'))
  })

  test("the embedded model's vocabulary gives the same ids either way", async () => {
    const source = 'models/default/tokenizer'
    const vocab: unknown = JSON.parse(readFileSync(join(source, 'vocab.json'), 'utf8'))
    const merges = readFileSync(join(source, 'merges.txt'), 'utf8').trim().split('\n').slice(1)
    await load((saved) => ({
      ...saved,
      model: { ...saved.model, vocab, merges: merges.map((line) => line.split(' ')) },
      added_tokens: [],
    }))
    const split = await readTokenizerFolder(source)
    const whole = { ...(await readTokenizerFolder(folder)), config: split.config }
    expect(whole.merges).toEqual(split.merges)
    const [one, other] = [new ClipTokenizer(whole), new ClipTokenizer(split)]
    for (const text of [
      'A photo of a cat, 4k',
      "it's Übergröße",
      '日本語のテキスト',
      ...merges.slice(-500),
    ]) {
      expect(one.encode(text)).toEqual(other.encode(text))
    }
  })

  const withModel = (fields: object) => (saved: Saved) => ({ ...saved, model: { ...saved.model, ...fields } })
  const withId = (token: string, id: unknown) => (saved: Saved) =>
    withModel({ vocab: { ...saved.model.vocab, [token]: id } })(saved)
  const withMerge = (merge: unknown) => (saved: Saved) =>
    withModel({ merges: [merge, ...saved.model.merges] })(saved)
  const withAdded = (token: object) => (saved: Saved) => ({ ...saved, added_tokens: [token] })
  const bert = { type: 'BertNormalizer', lowercase: true }
  test.each<[string, (saved: Saved) => unknown, string, string]>([
    ['cut short', () => savedText.slice(0, 999), 'INVALID_CONFIG', 'tokenizer.json is not JSON'],
    ['a list', () => [], 'INVALID_CONFIG', 'top level'],
    ['no model', (saved) => ({ ...saved, model: undefined }), 'INVALID_CONFIG', 'model'],
    [
      'another model',
      withModel({ type: 'WordPiece' }),
      'UNSUPPORTED_MODEL',
      'model.type: Invalid input: expected "BPE", got "WordPiece"',
    ],
    [
      'no end of word',
      withModel({ end_of_word_suffix: null }),
      'UNSUPPORTED_MODEL',
      'model.end_of_word_suffix',
    ],
    [
      'whole words before merges',
      withModel({ ignore_merges: true }),
      'UNSUPPORTED_MODEL',
      'model.ignore_merges',
    ],
    [
      'another normalizer',
      (saved) => ({ ...saved, normalizer: bert }),
      'UNSUPPORTED_MODEL',
      'normalizer.type',
    ],
    ['no normalizer', (saved) => ({ ...saved, normalizer: null }), 'UNSUPPORTED_MODEL', 'normalizer'],
    [
      'a normalizer more',
      (saved) => void saved.normalizer!.normalizers.push({ type: 'StripAccents' }),
      'UNSUPPORTED_MODEL',
      'normalizer.normalizers',
    ],
    ['words cut in another way', () => savedText.replace("'s|'t", "'s"), 'UNSUPPORTED_MODEL', `>|'s|'re|`],
    [
      'a vocabulary that is a list',
      withModel({ vocab: [['a', 0]] }),
      'INVALID_CONFIG',
      'model.vocab: expected an object',
    ],
    [
      'an id that is none',
      withId('cat', '7'),
      'INVALID_CONFIG',
      'model.vocab: expected a token id for "cat"',
    ],
    ['a huge id', withId('cat', 2 ** 40), 'INVALID_CONFIG', '"cat", got 1099511627776'],
    ['an id twice', withId('cat', 7), 'INVALID_CONFIG', '"cat" have one id, 7'],
    ['merges that are none', withModel({ merges: {} }), 'INVALID_CONFIG', 'merges'],
    [
      'a merge of three',
      withMerge(['a', 'b', 'c']),
      'INVALID_CONFIG',
      'model.merges.0: expected two tokens, got ["a", "b", "c"]',
    ],
    [
      'a merge of numbers',
      withMerge([1, 2]),
      'INVALID_CONFIG',
      'model.merges.0: expected two tokens, got [1, 2]',
    ],
    ['a merge of nothing', withMerge(['a', '']), 'INVALID_CONFIG', '"a "'],
    ['a merge with spaces', withMerge(['a b', 'c']), 'INVALID_CONFIG', '"a b c"'],
    ['an added token without an id', withAdded({ content: 'sks' }), 'INVALID_CONFIG', 'added_tokens.0.id'],
    [
      'an added token with a huge id',
      withAdded({ content: 'sks', id: 2 ** 40 }),
      'INVALID_CONFIG',
      '"sks", got 1099511627776',
    ],
    [
      'an added token with the id of another',
      withAdded({ content: 'sks', id: 7 }),
      'INVALID_CONFIG',
      '"sks" has the id 7',
    ],
    [
      'an added token that strips',
      withAdded({ content: 'sks', id: 574, lstrip: true }),
      'UNSUPPORTED_MODEL',
      'lstrip',
    ],
  ])('%s is refused', async (_, change, code, named) => {
    const error = await load(change).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TintypeError)
    expect(error).toMatchObject({ code })
    expect(String(error)).toContain(named)
  })
})
