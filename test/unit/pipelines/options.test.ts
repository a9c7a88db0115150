// What generate() refuses, and how it says so.

import { describe, expect, it } from 'vitest'
import { TintypeError } from '../../../lib/errors.ts'
import { resolveOptions } from '../../../lib/pipelines/options.ts'

const defaults = { width: 512, height: 512, factor: 8, guidanceScale: 7.5, steps: 20 }
const resolve = (options: unknown) => resolveOptions(options, defaults)

describe('resolveOptions', () => {
  it('completes what is missing with the defaults of the model', () => {
    expect(resolve({ prompt: 'apple', seed: 7 })).toMatchObject({
      prompts: ['apple'],
      negativePrompts: [''],
      steps: 20,
      guidanceScale: 7.5,
      sequentialGuidance: false,
      seed: 7n,
      rng: 'torch-cpu',
      count: 1,
      strength: 0.8,
      temperature: 1,
      output: 'pictures',
      previewEvery: 0,
    })
  })

  it('draws a seed where none is given', () => {
    const seeds = new Set(Array.from({ length: 8 }, () => resolve({ prompt: '' }).seed))
    expect(seeds.size).toBeGreaterThan(1)
  })

  it('gives every prompt its negative prompt', () => {
    expect(resolve({ prompt: ['a', 'b'], negativePrompt: 'c' }).negativePrompts).toEqual(['c', 'c'])
    expect(resolve({ prompt: ['a', 'b'], negativePrompt: ['c', 'd'] }).negativePrompts).toEqual(['c', 'd'])
  })

  it('takes undefined for absent', () => {
    expect(resolve({ prompt: 'a', steps: undefined }).steps).toBe(20)
  })

  it('completes a threshold', () => {
    const unbounded = { percentile: 0.99, max: 1e6 }
    expect(resolve({ prompt: 'a', threshold: 0.99 }).threshold).toEqual(unbounded)
    expect(resolve({ prompt: 'a', threshold: { percentile: 0.99 } }).threshold).toEqual(unbounded)
    const absent = { percentile: 0.99, max: undefined }
    expect(resolve({ prompt: 'a', threshold: absent }).threshold).toEqual(unbounded)
    expect(resolve({ prompt: 'a' }).threshold).toBeUndefined()
    expect(resolve({ prompt: 'a', threshold: { percentile: 0.9, max: 2 } }).threshold?.max).toBe(2)
  })

  it('takes seeds up to 2^64 - 1', () => {
    expect(resolve({ prompt: 'a', seed: 2n ** 64n - 1n }).seed).toBe(2n ** 64n - 1n)
  })

  it.each<[unknown, RegExp]>([
    [undefined, /takes an object of options, got undefined/],
    ['apple', /takes an object of options, got 'apple'/],
    [{}, /Option prompt is missing/],
    [{ prompt: 5 }, /Option prompt must be a string or a list .*, got 5/],
    [{ prompt: [] }, /Option prompt must be/],
    [{ prompt: 'a', width: 0 }, /Option width must be an integer from 1 to 16384, got 0/],
    [{ prompt: 'a', width: -8 }, /Option width/],
    [{ prompt: 'a', height: Number.NaN }, /Option height must be .*, got NaN/],
    [{ prompt: 'a', height: 1e9 }, /Option height/],
    [{ prompt: 'a', width: 100 }, /multiple of 8 for this model, got 100. Try 96 or 104/],
    [{ prompt: 'a', width: 4 }, /Try 8\./],
    [{ prompt: 'a', steps: 0 }, /Option steps must be an integer from 1 to 1000, got 0/],
    [{ prompt: 'a', steps: 2.5 }, /Option steps/],
    [{ prompt: 'a', seed: -1 }, /Option seed/],
    [{ prompt: 'a', seed: 2 ** 60 }, /as a bigint/],
    [{ prompt: 'a', seed: 2n ** 64n }, /Option seed/],
    [{ prompt: 'a', rng: 'numpy' }, /"torch-cpu" or "torch-cuda"/],
    [{ prompt: 'a', count: 0 }, /Option count/],
    [{ prompt: 'a', strength: 0, init: 'x.png' }, /Option strength must be a number above 0/],
    [{ prompt: 'a', strength: 0.5 }, /needs a picture to start from/],
    [{ prompt: 'a', threshold: 2 }, /Option threshold/],
    [{ prompt: 'a', guidanceInterval: [0.5, 0.5] }, /Option guidanceInterval must be two shares/],
    [{ prompt: 'a', guidanceInterval: [0, 1.5] }, /Option guidanceInterval/],
    [{ prompt: 'a', guidanceInterval: [0] }, /Option guidanceInterval/],
    [
      { prompt: 'a', sequentialGuidance: 'yes' },
      /Option sequentialGuidance must be true or false, got 'yes'/,
    ],
    [{ prompt: 'a', sequentialGuidance: 1 }, /Option sequentialGuidance/],
    [{ prompt: 'a', tokenMerging: 0.8 }, /Option tokenMerging must be a number from 0 to 0.75, got 0.8/],
    [{ prompt: 'a', cacheInterval: 0 }, /Option cacheInterval must be an integer from 1/],
    [{ prompt: 'a', threshold: { percentile: 0.5, max: 0.5 } }, /Option threshold/],
    [{ prompt: 'a', latents: [1, 2] }, /a Float32Array of unit noise, got \[ 1, 2 \]/],
    [{ prompt: 'a', latents: new Float32Array(4), init: 'x.png' }, /exclude each other/],
    [{ prompt: 'a', signal: {} }, /an AbortSignal/],
    [{ prompt: 'a', onProgress: true }, /a function/],
    [{ prompt: ['a', 'b'], negativePrompt: ['c'] }, /2 prompts but 1 negative prompts/],
  ])('refuses %o', (options, message) => {
    expect(() => resolve(options)).toThrow(message)
    expect(() => resolve(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  it.each(['device', 'precision', 'exact'])('says whose option %s is', (name) => {
    const message = `There is no option "${name}". It is one of load().`
    expect(() => resolve({ prompt: 'a', [name]: 'cuda' })).toThrow(message)
  })

  it('names the nearest option for one that does not exist', () => {
    const unknown = () => resolve({ prompt: 'a', guidance_scale: 3 })
    expect(unknown).toThrow('There is no option "guidance_scale". Did you mean "guidanceScale"?')
    expect(unknown).toThrow(TintypeError)
    expect(unknown).toThrow(expect.objectContaining({ code: 'UNKNOWN_OPTION' }))
  })

  it.each([
    ['num_inference_steps', 'steps'],
    ['guidence', 'guidanceScale'],
    ['cfgScale', 'guidanceScale'],
    ['cfg_scale', 'guidanceScale'],
    ['negative_prompt', 'negativePrompt'],
    ['num_images_per_prompt', 'count'],
    ['denoising_strength', 'strength'],
    ['sampler', 'scheduler'],
    ['Width', 'width'],
  ])('names what %s is here', (name, meant) => {
    expect(() => resolve({ prompt: 'a', [name]: 3 })).toThrow(`"${name}". Did you mean "${meant}"?`)
  })

  it('keeps huge values out of its messages', () => {
    expect(() => resolve({ prompt: 'a', rng: 'x'.repeat(1e6) })).toThrow(/^.{1,200}$/)
  })
})
