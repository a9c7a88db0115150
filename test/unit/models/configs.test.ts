// Model configurations: what published folders hold, every field that is refused, and files made to hurt.

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readJson } from '../../../lib/json-file.ts'
import {
  parseTextEncoderConfig,
  parseUnetConfig,
  parseVaeConfig,
  readModelConfigs,
} from '../../../lib/models/configs.ts'
import { sd15, sd21 } from './published-configs.ts'
import { thrownBy } from './thrown-by.ts'

const golden = join(import.meta.dirname, '../../golden/pipelines')

describe('published models', () => {
  it('Stable Diffusion 1.5', () => {
    expect(parseTextEncoderConfig(sd15.text, 'text')).toEqual({
      vocabSize: 49408,
      hiddenSize: 768,
      intermediateSize: 3072,
      layers: 12,
      heads: 12,
      headSize: 64,
      maxPositions: 77,
      tokens: 77,
      activation: 'quick_gelu',
      layerNormEps: 1e-5,
    })
    const unet = parseUnetConfig(sd15.unet, 'unet')
    expect(unet.down.map((level) => level.channels)).toEqual([320, 640, 1280, 1280])
    // attention_head_dim 8 means eight heads, whatever the width.
    expect(unet.down.map((level) => level.attention)).toEqual([
      { heads: 8, headSize: 40, layers: 1 },
      { heads: 8, headSize: 80, layers: 1 },
      { heads: 8, headSize: 160, layers: 1 },
      undefined,
    ])
    expect(unet.up.map(({ channels, resnets }) => [channels, resnets])).toEqual([
      [1280, 3],
      [1280, 3],
      [640, 3],
      [320, 3],
    ])
    expect(unet).toMatchObject({
      sampleSize: { height: 64, width: 64 },
      mid: { channels: 1280, attention: { heads: 8, headSize: 160, layers: 1 } },
      crossAttentionDim: 768,
      linearProjection: false,
      timeEmbedDim: 1280,
      normEps: 1e-5,
      flipSinToCos: true,
      freqShift: 0,
    })
    expect(parseVaeConfig(sd15.vae, 'vae')).toEqual({
      latentChannels: 4,
      channels: [128, 256, 512, 512],
      layersPerBlock: 2,
      normGroups: 32,
      midAttention: true,
      quantConv: true,
      postQuantConv: true,
      scalingFactor: 0.18215,
      factor: 8,
    })
  })

  it('Stable Diffusion 2.1', () => {
    expect(parseTextEncoderConfig(sd21.text, 'text')).toMatchObject({
      layers: 23,
      heads: 16,
      activation: 'gelu',
    })
    const unet = parseUnetConfig(sd21.unet, 'unet')
    expect(unet.linearProjection).toBe(true)
    expect(unet.down.map((level) => level.attention?.heads)).toEqual([5, 10, 20, undefined])
    expect(unet.up.map((level) => level.attention?.headSize)).toEqual([undefined, 64, 64, 64])
    expect(unet.mid?.attention).toEqual({ heads: 20, headSize: 64, layers: 1 })
  })

  it('empty files mean the defaults of diffusers and transformers', () => {
    expect(parseTextEncoderConfig({}, 'text')).toMatchObject({ hiddenSize: 512, heads: 8, layers: 12 })
    expect(parseUnetConfig({}, 'unet')).toMatchObject({
      crossAttentionDim: 1280,
      normGroups: 32,
      sampleSize: undefined,
    })
    expect(parseVaeConfig({}, 'vae')).toMatchObject({
      channels: [64],
      factor: 1,
      layersPerBlock: 1,
      scalingFactor: 0.18215,
    })
  })
})

describe('golden pipelines', async () => {
  const names = (await readdir(golden, { withFileTypes: true })).filter((entry) => entry.isDirectory())
  it.each(names.map((entry) => entry.name))('%s', async (name) => {
    const configs = await readModelConfigs(join(golden, name, 'model'))
    expect(configs).toMatchSnapshot()
  })
})

describe('reading JSON', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tintype-configs-'))
  })
  afterAll(() => rm(folder, { recursive: true }))
  const write = async (text: string) => {
    const path = join(folder, 'config.json')
    await writeFile(path, text)
    return path
  }

  it("takes Python's bare numbers, outside of strings only", async () => {
    const path = await write('{"a": -Infinity, "b": Infinity, "c": NaN, "d": "-Infinity \\" NaN", "NaN": 1}')
    expect(await readJson(path)).toEqual({ a: -Infinity, b: Infinity, c: null, d: '-Infinity " NaN', NaN: 1 })
  })
  it('takes a byte order mark', async () => {
    expect(await readJson(await write('\uFEFF[1]'))).toEqual([1])
  })
  it.each(['', '{', 'not json', '{"a": Infinit}', '\0\0'])('refuses %j', async (text) => {
    const path = await write(text)
    expect(await thrownBy(() => readJson(path))).toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining(path),
    })
  })
  it('refuses strings without an end in no time', async () => {
    const path = await write(`{"${'\\"'.repeat(1.5e5)}`)
    const start = performance.now()
    expect(await thrownBy(() => readJson(path))).toMatchObject({ code: 'INVALID_CONFIG' })
    // A quadratic step takes a minute; 4 MB of it take hours.
    expect(performance.now() - start).toBeLessThan(10_000)
  })
  it('refuses a file far too large', async () => {
    const path = await write(' '.repeat(5e6))
    expect(await thrownBy(() => readJson(path))).toMatchObject({ code: 'INVALID_CONFIG' })
  })
  it.each(['missing.json', '.'])('says that %s cannot be read', async (name) => {
    expect(await thrownBy(() => readJson(join(folder, name)))).toMatchObject({ code: 'MODEL_NOT_FOUND' })
  })
})
