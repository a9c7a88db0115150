// The tokenizer's edges: odd and huge input, missing and damaged folders.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TintypeError } from '../../../lib/errors.ts'
import { ClipTokenizer } from '../../../lib/tokenizer/clip.ts'
import { expectFewWords, hostileTexts, placeholder, replaced, spelled } from '../hostile-values.ts'

const tokenizer = await ClipTokenizer.load('models/default/tokenizer')
const bos = 49406
const eos = 49407

describe('tokenize', () => {
  test('an empty prompt is bos and padding', () => {
    const { ids, truncated } = tokenizer.tokenize('')
    expect(ids).toBeInstanceOf(Int32Array)
    expect([...ids]).toEqual([bos, ...Array(76).fill(eos)])
    expect(truncated).toBeUndefined()
  })

  test('75 words fit, the 76th is named', () => {
    expect(tokenizer.tokenize('cat '.repeat(75)).truncated).toBeUndefined()
    expect(tokenizer.tokenize(`${'cat '.repeat(75)}DOG`).truncated).toBe('dog')
    expect(tokenizer.tokenize(`${'cat '.repeat(75)}DOG`).ids.at(-1)).toBe(eos)
  })

  test('lone surrogates count as U+FFFD', () => {
    for (const text of ['\ud83d', 'a\udc00b', '\ud83dx\ude00']) {
      expect(tokenizer.encode(text)).toEqual(tokenizer.encode(text.replace(/[\ud800-\udfff]/gu, '\ufffd')))
    }
  })

  const megabyte = 2 ** 20
  test.each([
    ['words', 'red apple '.repeat(megabyte / 10)],
    ['one word', 'a'.repeat(megabyte)],
    ['one word of astral letters', '\u{1d573}'.repeat(megabyte / 2)],
    ['spaces', ' '.repeat(megabyte)],
    ['symbols', '!?'.repeat(megabyte / 2)],
    ['lone surrogates', '\ud800'.repeat(megabyte)],
    ['marks out of order', `a${'\u0301'.repeat(megabyte / 2)}${'\u0327'.repeat(megabyte / 2)}`],
  ])('a megabyte of %s takes seconds at most', (_, prompt) => {
    const start = performance.now()
    expect(tokenizer.tokenize(prompt).ids[0]).toBe(bos)
    // A quadratic step anywhere takes minutes; linear ones took 1.6 s at most on a shared 2-core machine.
    expect(performance.now() - start).toBeLessThan(15_000)
  })
})

describe('load', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tintype-tokenizer-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const vocabulary = { a: 0, b: 1, 'b</w>': 2, 'ab</w>': 3, '<|startoftext|>': 4, '<|endoftext|>': 5 }

  async function load(files: Record<string, unknown>): Promise<ClipTokenizer> {
    const all = {
      'vocab.json': vocabulary,
      'merges.txt': '#version: 0.2\na b</w>\n',
      'tokenizer_config.json': {},
      'special_tokens_map.json': {},
      'added_tokens.json': undefined,
      ...files,
    }
    for (const [name, content] of Object.entries(all)) {
      const path = join(folder, name)
      if (content === undefined) await rm(path, { force: true })
      else await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
    }
    return ClipTokenizer.load(folder)
  }

  test('a small vocabulary works, bytes it lacks are unknown', async () => {
    expect((await load({})).encode('AB b x<|startoftext|>')).toEqual([3, 2, 5, 4])
  })

  test('a merge into a token that the vocabulary lacks is INVALID_CONFIG where a word needs it', async () => {
    const damaged = await load({ 'merges.txt': 'a a\na b</w>\na q\n' })
    expect(damaged.encode('ab aq')).toEqual([3, 0, 5])
    expect(() => damaged.encode('aab')).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }))
    expect(() => damaged.encode('aab')).toThrow('"aa"')
  })

  test('the settings may be absent', async () => {
    const bare = await load({ 'tokenizer_config.json': undefined, 'special_tokens_map.json': undefined })
    expect(bare).toMatchObject({ maxLength: 77, bosId: 4, eosId: 5, padId: 5 })
  })

  test('model_max_length and pad_token are honoured; no limit means the positions of the text encoder', async () => {
    const short = await load({ 'tokenizer_config.json': { model_max_length: 4, pad_token: 'a' } })
    expect([...short.tokenize('').ids]).toEqual([4, 5, 0, 0])
    expect(short.tokenize('b b b').truncated).toBe('b')
    expect((await load({ 'tokenizer_config.json': { model_max_length: 1e30 } })).maxLength).toBe(77)
    expect((await ClipTokenizer.load(folder, 248)).maxLength).toBe(248)
    expect((await load({ 'tokenizer_config.json': { model_max_length: 200 } })).maxLength).toBe(77)
    expect((await ClipTokenizer.load(folder, 248)).tokenize('b').ids).toHaveLength(200)
  })

  test('added tokens may have any character that means something in a pattern', async () => {
    const tokens = ['<cat-toy>', '^$.*+?', '()[]{}', 'a|b', '\\d/-']
    const entries = tokens.map((content, i) => [6 + i, { content }])
    const settings = { added_tokens_decoder: Object.fromEntries(entries) }
    const odd = await load({ 'tokenizer_config.json': settings })
    expect(odd.encode(`b${tokens.join('b')}`)).toEqual([2, 6, 2, 7, 2, 8, 2, 9, 2, 10])
  })

  test('added_tokens.json adds tokens', async () => {
    const old = await load({ 'added_tokens.json': { '<Cat-toy>': 6, sks: 7 } })
    expect(old.encode('b <cat-toy> SKSb')).toEqual([2, 6, 7, 2])
  })

  const addedTokens = (count: number, length: number) => ({
    added_tokens_decoder: Object.fromEntries(
      Array.from({ length: count }, (_, i) => [6 + i, { content: String(i).padStart(length, 'ab ') }]),
    ),
  })

  test('thousands of long tokens may be added', async () => {
    const many = await load({ 'tokenizer_config.json': addedTokens(4096, 256) })
    expect(many.encode('ab b x')).toEqual([3, 2, 5])
  })

  test.each([
    ['vocab.json missing', { 'vocab.json': undefined }, 'MODEL_NOT_FOUND', 'vocab.json'],
    ['merges.txt missing', { 'merges.txt': undefined }, 'MODEL_NOT_FOUND', 'or tokenizer.json'],
    ['vocab.json cut short', { 'vocab.json': '{"a": 0, ' }, 'INVALID_CONFIG', 'vocab.json'],
    ['vocab.json a list', { 'vocab.json': [1] }, 'INVALID_CONFIG', 'vocab.json'],
    ['an id that is none', { 'vocab.json': { ...vocabulary, c: -1 } }, 'INVALID_CONFIG', '"c"'],
    ['a huge id', { 'vocab.json': { ...vocabulary, c: 1e12 } }, 'INVALID_CONFIG', '"c"'],
    ['an id twice', { 'vocab.json': { ...vocabulary, c: 5 } }, 'INVALID_CONFIG', '"c" have one id, 5'],
    [
      'no special token',
      { 'vocab.json': { a: 0, 'b</w>': 1, 'ab</w>': 2 } },
      'INVALID_CONFIG',
      'startoftext',
    ],
    ['a merge of three', { 'merges.txt': 'a b c\n' }, 'INVALID_CONFIG', 'merges.txt:1'],
    [
      'a setting of the wrong type',
      { 'tokenizer_config.json': { model_max_length: 'x' } },
      'INVALID_CONFIG',
      'model_max_length',
    ],
    [
      'an added token with an id that is none',
      { 'added_tokens.json': { sks: 'x' } },
      'INVALID_CONFIG',
      'added_tokens.json: sks',
    ],
    [
      'an added token with the id of another',
      { 'added_tokens.json': { sks: 6, cat: 6 } },
      'INVALID_CONFIG',
      '"cat" has the id 6, which is that of "sks"',
    ],
    [
      'a huge id in added_tokens_decoder',
      { 'tokenizer_config.json': { added_tokens_decoder: { 4294967296: { content: 'sks' } } } },
      'INVALID_CONFIG',
      '"sks", got 4294967296',
    ],
    [
      'a length that is no integer',
      { 'tokenizer_config.json': { model_max_length: 7.5 } },
      'INVALID_CONFIG',
      'model_max_length',
    ],
    [
      'a token longer than any',
      { 'tokenizer_config.json': addedTokens(1, 257) },
      'INVALID_CONFIG',
      'added_tokens_decoder.6.content',
    ],
    [
      'more tokens than anybody adds',
      { 'tokenizer_config.json': addedTokens(4097, 8) },
      'INVALID_CONFIG',
      'expected at most 4096 tokens',
    ],
    [
      'another tokenizer',
      { 'tokenizer_config.json': { tokenizer_class: 'T5Tokenizer' } },
      'UNSUPPORTED_MODEL',
      'tokenizer_class',
    ],
    [
      'padding on the left',
      { 'tokenizer_config.json': { padding_side: 'left' } },
      'UNSUPPORTED_MODEL',
      'padding_side',
    ],
    [
      'a token that strips',
      { 'special_tokens_map.json': { pad_token: { content: 'a', lstrip: true } } },
      'UNSUPPORTED_MODEL',
      'lstrip',
    ],
  ])('%s is %s', async (_, files, code, named) => {
    const error = await load(files).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TintypeError)
    expect(error).toMatchObject({ code })
    expect(String(error)).toContain(named)
  })

  test.each(hostileTexts)('there are few words for %s', async (_, text) => {
    const settings = { pad_token: 'a', model_max_length: 77, added_tokens_decoder: {} }
    const long = 'x'.repeat(1e6)
    const all: [file: string, json: unknown][] = [
      ['vocab.json', placeholder],
      ['vocab.json', { ...vocabulary, [long]: placeholder }],
      ...replaced(settings, placeholder).map((json): [string, unknown] => ['tokenizer_config.json', json]),
      ['special_tokens_map.json', { pad_token: placeholder }],
      ['special_tokens_map.json', { pad_token: { content: long, lstrip: true } }],
      ['tokenizer_config.json', { added_tokens_decoder: { [long]: placeholder } }],
    ]
    for (const [file, json] of all) {
      const error = await load({ [file]: spelled(json, text) }).catch((error: unknown) => error)
      expectFewWords(() => {
        if (error instanceof Error) throw error
      })
    }
  })

  test('a folder that is none', async () => {
    await expect(ClipTokenizer.load(join(folder, 'nowhere'))).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    })
    await expect(ClipTokenizer.load(join(folder, 'merges.txt'))).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    })
  })
})
