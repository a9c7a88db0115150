// Tokenizers that give more tokens than the text encoder can read, or fewer: prompts are padded and cut to the smaller of the two.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { load, type Pipeline } from '../../lib/index.ts'
import { openGolden } from '../golden/pipelines.ts'

const { folder } = openGolden('sd1')
const options = { prompt: ['a red apple', 'a pear'], seed: 5, steps: 2, width: 64, height: 48 } as const
const width = 24

let whole: Pipeline
let copy: string
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'tintype-prompts-'))
  whole = await load(folder)
})
afterAll(async () => {
  await whole.dispose()
  await rm(copy, { recursive: true })
})

/** The model with a field of one of its files replaced. */
async function loadWith(file: string, change: Readonly<Record<string, unknown>>): Promise<Pipeline> {
  await cp(folder, copy, { recursive: true, force: true })
  const path = join(copy, file)
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...change }))
  return load(copy)
}
const withLength = (length: unknown) =>
  loadWith('tokenizer/tokenizer_config.json', { model_max_length: length })

describe('model_max_length', () => {
  it.each([78, 1000, 1e30, undefined])('%s means the 77 positions of the text encoder', async (length) => {
    await using long = await withLength(length)
    expect(long.tokenize('apple')).toEqual(whole.tokenize('apple'))
    expect((await long.generate(options)).latents).toEqual((await whole.generate(options)).latents)
    const { warnings } = await long.generate({ ...options, prompt: 'apple '.repeat(100) })
    expect(warnings).toEqual([expect.stringMatching(/longer than 77 tokens/)])
  })

  it('20 gives the UNet 20 tokens, as in diffusers', async () => {
    await using short = await withLength(20)
    expect(short.tokenize('apple')).toEqual(whole.tokenize('apple').subarray(0, 20))
    for (const prompt of options.prompt) {
      const embedding = await short.encodePrompt(prompt)
      expect(embedding).toHaveLength(20 * width)
      expect(embedding).toEqual((await whole.encodePrompt(prompt)).subarray(0, 20 * width))
    }
    const { latents } = await short.generate(options)
    expect(latents.every(Number.isFinite)).toBe(true)
    expect(latents).not.toEqual((await whole.generate(options)).latents)
    const { warnings } = await short.generate({ ...options, prompt: 'apple '.repeat(30) })
    expect(warnings).toEqual([expect.stringMatching(/longer than 20 tokens/)])
  })

  it.each([2, 1, 0, -1, 7.5, '77'])('%j is refused', async (length) => {
    await expect(withLength(length)).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('model_max_length'),
    })
  })
})

it.each([2, 1])('a text encoder of %s positions is refused', async (positions) => {
  const short = loadWith('text_encoder/config.json', { max_position_embeddings: positions })
  await expect(short).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    message: expect.stringContaining('max_position_embeddings'),
  })
})
