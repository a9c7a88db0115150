// The text that pictures carry: what other tools read, and back.

import { describe, expect, it } from 'vitest'
import {
  formatParameters,
  type GenerationParameters,
  parseParameters,
} from '../../../lib/image/parameters.ts'

const parameters: GenerationParameters = {
  prompt: 'red apple',
  negativePrompt: 'blurry',
  steps: 20,
  scheduler: 'euler-ancestral',
  karras: false,
  guidanceScale: 7.5,
  seed: 2n ** 63n,
  rng: 'torch-cpu',
  width: 512,
  height: 384,
  model: 'default',
}

describe('formatParameters', () => {
  it('writes what A1111 writes', () => {
    expect(formatParameters(parameters)).toBe(
      'red apple\nNegative prompt: blurry\n' +
        'Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 9223372036854775808, Size: 512x384, Model: default, RNG: CPU, Version: tintype',
    )
  })

  it('leaves out an empty negative prompt, adds strength and Karras', () => {
    const text = formatParameters({
      ...parameters,
      ...{ negativePrompt: '', scheduler: 'dpmpp-2m', karras: true, strength: 0.6 },
    })
    expect(text).not.toContain('Negative prompt')
    expect(text).toContain('Sampler: DPM++ 2M Karras,')
    expect(text).toContain('Denoising strength: 0.6')
  })
})

it('tells of guidance in a part of the run, of features used again, and of merged tokens', () => {
  const less = { guidanceInterval: [0.2, 0.8], cacheInterval: 3, tokenMerging: 0.5 } as const
  const text = formatParameters({ ...parameters, ...less })
  expect(text).toContain('Guidance interval: 0.2-0.8, Cache interval: 3, Token merging ratio: 0.5,')
  expect(formatParameters(parameters)).not.toMatch(/interval|merging/)
})

it('tells of weights in int8', () => {
  expect(formatParameters({ ...parameters, precision: 'int8' })).toContain('Model: default, Precision: int8,')
  expect(formatParameters(parameters)).not.toContain('Precision')
})

/** Everything that may have changed a picture. */
const everything: GenerationParameters = {
  ...parameters,
  ...{
    rng: 'torch-cuda',
    latents: 'given',
    batchSize: 4,
    batchPosition: 3,
    precision: 'fast',
    strength: 0.6,
  },
  ...{ eta: 0.5, temperature: 0.9, threshold: { percentile: 0.995, max: 5 } },
  ...{ guidanceInterval: [0.2, 0.8], cacheInterval: 3, tokenMerging: 0.5 },
}

describe('parseParameters', () => {
  it.each([undefined, Buffer.from('red apple')])('refuses %o', (text) => {
    expect(() => parseParameters(text as never)).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/takes a string, got .* without parameters/),
      }),
    )
  })

  it('reads back all that changed the picture', () => {
    const { settings } = parseParameters(formatParameters(everything))
    expect(Object.fromEntries(settings)).toEqual({
      ...{
        Steps: '20',
        Sampler: 'Euler a',
        'CFG scale': '7.5',
        Seed: '9223372036854775808',
        Size: '512x384',
      },
      ...{
        Model: 'default',
        Precision: 'fast',
        'Batch size': '4',
        'Batch pos': '3',
        'Denoising strength': '0.6',
      },
      ...{ 'Eta DDIM': '0.5', 'Sigma noise': '0.9', 'Threshold percentile': '0.995', 'Threshold max': '5' },
      ...{ 'Guidance interval': '0.2-0.8', 'Cache interval': '3', 'Token merging ratio': '0.5' },
      ...{ Latents: 'given', RNG: 'NV', Version: 'tintype' },
    })
  })

  it.each([
    parameters,
    { ...parameters, prompt: 'two\nlines: of, prompt', negativePrompt: '' },
    { ...parameters, model: 'a, "quoted": name', prompt: '' },
    { ...parameters, prompt: '猫 🐈', negativePrompt: 'a\nb' },
  ])('reads back what was written (%#)', (given) => {
    const { prompt, negativePrompt, settings } = parseParameters(formatParameters(given))
    expect(prompt).toBe(given.prompt)
    expect(negativePrompt).toBe(given.negativePrompt)
    expect(settings.get('Seed')).toBe(String(given.seed))
    expect(settings.get('Model')).toBe(given.model)
    expect(settings.get('Size')).toBe('512x384')
  })

  it('takes text without settings for a prompt', () => {
    expect(parseParameters('a poster: "sale", red')).toEqual({
      prompt: 'a poster: "sale", red',
      negativePrompt: '',
      settings: new Map(),
    })
    expect(parseParameters('').prompt).toBe('')
  })

  it('takes a line too long for settings for a prompt', () => {
    const long = `a: "${'b'.repeat(2 ** 24)}`
    expect(parseParameters(long).prompt).toBe(long)
  })

  it('is quick with hostile text', () => {
    const start = performance.now()
    parseParameters(`${'a'.repeat(1e5)}\n${'a: "\\'.repeat(3e4)}`)
    parseParameters(`${' '.repeat(1e5)}:`)
    parseParameters(`a\n${' '.repeat(1e5)}b`)
    parseParameters(`a\n${' '.repeat(1e5)}:`)
    expect(performance.now() - start).toBeLessThan(2000)
  })
})
