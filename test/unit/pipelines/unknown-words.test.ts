// Words of prompts against the tokens that a model was trained with.

import { describe, expect, it } from 'vitest'
import { defaultModelFolder } from '../../../lib/pipelines/default-model.ts'
import { unknownWords } from '../../../lib/pipelines/unknown-words.ts'
import { ClipTokenizer } from '../../../lib/tokenizer/clip.ts'

const tokenizer = await ClipTokenizer.load(`${defaultModelFolder}/tokenizer`)
const name = 'ours'
const knownTokens = new Set(tokenizer.encode('red apple t - shirt , cat'))
const warningOf = (...prompts: string[]) => unknownWords({ name, tokenizer, knownTokens }, prompts)

describe('unknownWords', () => {
  it('names each word once, in their order', () => {
    expect(warningOf('a RED lighthouse, red apple', 'Lighthouse; a cat')).toEqual([
      'The model "ours" was never shown: a, lighthouse.',
    ])
  })

  it.each(['', '  ,;!', "red apple's", 'T-shirt', 'cat\u2019s'])('finds nothing in %o', (prompt) => {
    expect(warningOf(prompt)).toEqual([])
  })

  it('counts a word as unknown where any of its tokens is', () => {
    expect(warningOf('apples catapple 猫')).toEqual([
      'The model "ours" was never shown: apples, catapple, 猫.',
    ])
  })

  it('shows the beginning of a long word', () => {
    expect(warningOf('x'.repeat(1e5))).toEqual([`The model "ours" was never shown: ${'x'.repeat(57)}....`])
  })

  it('names a few of many, and says nothing of models that do not tell', () => {
    const prompt = Array.from({ length: 1e5 }, (_, i) => `word${i}`).join(' ')
    expect(warningOf(prompt)[0]).toMatch(/: word0, word1, .*, word7, \.\.\.\.$/)
    expect(unknownWords({ name, tokenizer, knownTokens: undefined }, [prompt])).toEqual([])
  })
})
