// The tokenizer against thousands of texts that Hugging Face's CLIPTokenizer encoded (test/golden/tokenizer).

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ClipTokenizer } from '../../../lib/tokenizer/clip.ts'
import { parseTokenizerConfig } from '../../../lib/tokenizer/config.ts'
import { readTokenizerFolder } from '../../../lib/tokenizer/folder.ts'

type Case = readonly [text: string, ids: readonly number[]]

interface Golden {
  readonly cases: readonly Case[]
  readonly variants: readonly {
    readonly name: string
    readonly config: unknown
    readonly special: unknown
    readonly added: unknown
    readonly padId: number
    readonly cases: readonly Case[]
  }[]
  readonly truncated: readonly (readonly [text: string, ids: readonly number[], removed: string | null])[]
}

const golden: Golden = JSON.parse(readFileSync('test/golden/tokenizer/clip.json', 'utf8'))
const folder = await readTokenizerFolder('models/default/tokenizer')
const tokenizer = new ClipTokenizer(folder)

test(`${golden.cases.length} texts have Hugging Face's ids`, () => {
  const wrong = golden.cases
    .map(([text, ids]) => ({ text, ids, got: tokenizer.encode(text) }))
    .filter(({ ids, got }) => ids.join() !== got.join())
  expect(golden.cases.length).toBeGreaterThan(3000)
  expect(wrong.slice(0, 5)).toEqual([])
})

describe('the settings of the folder decide special tokens and padding', () => {
  test.each(golden.variants)('$name', ({ config, special, added, padId, cases }) => {
    const variant = new ClipTokenizer({
      ...folder,
      config: parseTokenizerConfig({ config, specialTokens: special, addedTokens: added }, 'folder'),
    })
    expect(variant.padId).toBe(padId)
    for (const [text, ids] of cases) {
      const padded = [...ids, ...Array<number>(77 - ids.length).fill(padId)]
      expect([...variant.tokenize(text).ids], JSON.stringify(text)).toEqual(padded)
    }
  })
})

test('long prompts are cut at 77 ids, and the cut part is named as diffusers names it', () => {
  for (const [text, ids, removed] of golden.truncated) {
    const { ids: got, truncated } = tokenizer.tokenize(text)
    expect([...got]).toEqual(ids)
    expect(truncated).toBe(removed ?? undefined)
  }
})
