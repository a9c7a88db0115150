// The deepest models that a config.json may ask for: load() traces them, before it looks at their weights, in no time.

import { describe, expect, it } from 'vitest'
import type { Graph } from '../../../lib/graph/graph.ts'
import {
  type ModelConfigs,
  parseTextEncoderConfig,
  parseUnetConfig,
  parseVaeConfig,
} from '../../../lib/models/configs.ts'
import { decodeGraph, encodeGraph, stepGraph, textGraph } from '../../../lib/pipelines/stages.ts'

const size = { n: 1, h: 8, w: 8 }
const step = {
  ...{ ...size, guided: true, stochastic: false, historyLength: 0, threshold: undefined, wantClean: false },
}

const unet = (levels: number, layers: number, blocks: number) =>
  parseUnetConfig(
    {
      block_out_channels: Array(levels).fill(8),
      down_block_types: Array(levels).fill('CrossAttnDownBlock2D'),
      up_block_types: Array(levels).fill('CrossAttnUpBlock2D'),
      layers_per_block: layers,
      transformer_layers_per_block: blocks,
      ...{ norm_num_groups: 1, cross_attention_dim: 8, attention_head_dim: 1 },
    },
    'unet/config.json',
  )
const vae = (levels: number, layers: number) =>
  parseVaeConfig(
    {
      block_out_channels: Array(levels).fill(8),
      down_block_types: Array(levels).fill('DownEncoderBlock2D'),
      up_block_types: Array(levels).fill('UpDecoderBlock2D'),
      ...{ layers_per_block: layers, norm_num_groups: 1 },
    },
    'vae/config.json',
  )
const text = (layers: number) =>
  parseTextEncoderConfig({ num_hidden_layers: layers, hidden_size: 8 }, 'text_encoder/config.json')

const shallow = { textEncoder: text(1), unet: unet(1, 1, 1), vae: vae(1, 1) }
const trace = (configs: Partial<ModelConfigs>, graph: (configs: ModelConfigs) => Graph) =>
  graph({ ...shallow, ...configs } as ModelConfigs)

describe('the deepest model that is accepted', () => {
  it.each<[what: string, deepest: () => Graph]>([
    ['UNet of many levels', () => trace({ unet: unet(8, 7, 1) }, (configs) => stepGraph(configs, step))],
    [
      'UNet of long transformers',
      () => trace({ unet: unet(1, 1, 62) }, (configs) => stepGraph(configs, step)),
    ],
    ['decoder', () => trace({ vae: vae(8, 15) }, (configs) => decodeGraph(configs, size))],
    ['encoder', () => trace({ vae: vae(2, 62) }, (configs) => encodeGraph(configs, size))],
    ['text encoder', () => trace({ textEncoder: text(256) }, (configs) => textGraph(configs, 1))],
  ])('%s', (_, deepest) => {
    const start = performance.now()
    expect(deepest().nodes.length).toBeGreaterThan(800)
    // They took 0.1 s; a million layers, which the single fields allow, take minutes.
    expect(performance.now() - start).toBeLessThan(2_000)
  })

  it.each([
    ['UNet of many levels', () => unet(8, 8, 1), 'layers_per_block and transformer_layers_per_block ask for'],
    ['UNet of long transformers', () => unet(1, 1, 63), 'ask for 257 layers; tintype supports up to 256'],
    ['VAE of many levels', () => vae(8, 16), 'layers_per_block and block_out_channels ask for 268 layers'],
    ['VAE of long levels', () => vae(2, 63), 'ask for 258 layers'],
    ['text encoder', () => text(257), 'num_hidden_layers'],
  ])('refuses a deeper %s', (_, deeper, words) => {
    expect(deeper).toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }))
    expect(deeper).toThrow(words)
  })
})
