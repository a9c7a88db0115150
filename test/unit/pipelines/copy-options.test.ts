// Options that are changed after the call change nothing.

import { describe, expect, it } from 'vitest'
import type { ImageInput } from '../../../lib/image/input.ts'
import { copyImage, copyOptions } from '../../../lib/pipelines/copy-options.ts'
import type { GenerateOptions } from '../../../lib/pipelines/types.ts'

describe('copyOptions', () => {
  it('shares nothing that can be changed', () => {
    const { signal } = new AbortController()
    const onProgress = () => {}
    const options = {
      ...{ prompt: ['a', 'b'], negativePrompt: ['c', 'd'], seed: 1, signal, onProgress },
      guidanceInterval: [0.2, 0.8] as [number, number],
      threshold: { percentile: 0.9, max: 2 },
      latents: Float32Array.of(1, 2),
    }
    const copy = copyOptions(options)
    expect(copy).toEqual(options)
    expect(copy).toMatchObject({ signal: expect.toSatisfy((it) => it === signal), onProgress })
    options.prompt[0] = 'x'
    options.negativePrompt.pop()
    options.seed = 2
    options.guidanceInterval[0] = 0
    options.threshold.max = 3
    options.latents[0] = 9
    expect(copy).toEqual({
      ...{ prompt: ['a', 'b'], negativePrompt: ['c', 'd'], seed: 1, signal, onProgress },
      guidanceInterval: [0.2, 0.8],
      threshold: { percentile: 0.9, max: 2 },
      latents: Float32Array.of(1, 2),
    })
  })

  it.each([undefined, null, 'apple', 5, [], { prompt: null, init: null, threshold: null }])(
    'leaves %o to those who check',
    (options) => {
      expect(copyOptions(options as unknown as GenerateOptions)).toEqual(options)
    },
  )

  it('leaves arrays whose memory was transferred to those who check', () => {
    const [latents, init] = [new Float32Array(4), new Uint8Array(4)]
    structuredClone([latents, init], { transfer: [latents.buffer, init.buffer] })
    const copy = copyOptions({ prompt: 'a', latents, init })
    expect(copy.latents === latents && copy.init === init).toBe(true)
  })
})

describe('copyImage', () => {
  const pixels = { width: 1, height: 1 }
  it.each<[string, Uint8Array | Uint8ClampedArray]>([
    ['a Uint8Array', Uint8Array.of(1, 2, 3)],
    ['a Buffer', Buffer.from([1, 2, 3])],
    ['a Uint8ClampedArray', Uint8ClampedArray.of(1, 2, 3)],
  ])('copies pixels in %s', (_, data) => {
    const copy = copyImage({ ...pixels, data, channels: 3 })
    data[0] = 9
    expect(copy).toMatchObject({ ...pixels, channels: 3 })
    expect([...(copy as { data: Uint8Array }).data]).toEqual([1, 2, 3])
  })

  it('copies the bytes of a file', () => {
    const bytes = Buffer.from([1, 2, 3])
    const copy = copyImage(bytes)
    bytes[0] = 9
    expect([...(copy as Uint8Array)]).toEqual([1, 2, 3])
  })

  it.each(['a.png', new URL('file:///a.png'), 5 as unknown as ImageInput])('keeps %s', (image) => {
    expect(copyImage(image)).toEqual(image)
  })
})
