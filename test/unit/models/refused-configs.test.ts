// Configurations that are refused: fields we do not compute, fields nobody knows, wrong types, contradictions, other models.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  parseModelIndex,
  parseTextEncoderConfig,
  parseUnetConfig,
  parseVaeConfig,
  readModelConfigs,
} from '../../../lib/models/configs.ts'
import { parseSchedulerConfig } from '../../../lib/schedulers/config.ts'
import { expectFewWords, hostileValues, replaced } from '../hostile-values.ts'
import { sd15 } from './published-configs.ts'
import { thrownBy } from './thrown-by.ts'

type Change = Readonly<Record<string, unknown>>

const unsupportedUnet: readonly Change[] = [
  { class_embed_type: 'timestep' },
  { num_class_embeds: 1000 },
  { addition_embed_type: 'text_time' },
  { dual_cross_attention: true },
  { only_cross_attention: true },
  { only_cross_attention: [true, true, true, false] },
  { mid_block_only_cross_attention: true },
  { resnet_time_scale_shift: 'scale_shift' },
  { resnet_skip_time_act: true },
  { resnet_out_scale_factor: 1.4 },
  { encoder_hid_dim: 1280 },
  { encoder_hid_dim_type: 'text_proj' },
  { time_embedding_type: 'fourier' },
  { time_embedding_act_fn: 'silu' },
  { timestep_post_act: 'silu' },
  { time_cond_proj_dim: 256 },
  { mid_block_type: 'UNetMidBlock2DSimpleCrossAttn' },
  { down_block_types: ['CrossAttnDownBlock2D', 'AttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'] },
  { up_block_types: ['UpBlock2D', 'SimpleCrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'] },
  { act_fn: 'gelu' },
  { downsample_padding: 0 },
  { center_input_sample: true },
  { conv_in_kernel: 4 },
  { conv_out_kernel: 2 },
  { num_attention_heads: 8 },
  { mid_block_scale_factor: 1.5 },
  { attention_type: 'gated' },
  { class_embeddings_concat: true },
  { cross_attention_norm: 'layer_norm' },
  { cross_attention_dim: [768, 768, 1024, 1024] },
  { some_new_trick: 3 },
]

const invalidUnet: readonly Change[] = [
  { block_out_channels: '320' },
  { block_out_channels: [] },
  { block_out_channels: [320, 640, 1280] },
  { block_out_channels: [320, 640, 1280, 1.5] },
  { block_out_channels: [320, 640, 1280, -1280] },
  { block_out_channels: [320, 640, 1280, 2 ** 40] },
  { block_out_channels: [330, 640, 1280, 1280] },
  { down_block_types: ['DownBlock2D'] },
  { up_block_types: [1, 2, 3, 4] },
  { layers_per_block: 0 },
  { layers_per_block: 1e9 },
  { layers_per_block: 64 },
  { transformer_layers_per_block: 64 },
  { layers_per_block: [2, 2] },
  { attention_head_dim: null },
  { attention_head_dim: 7 },
  { attention_head_dim: [8, 8] },
  { transformer_layers_per_block: [[1], [2], [1], [1]] },
  { reverse_transformer_layers_per_block: [1] },
  { norm_num_groups: 0 },
  { norm_num_groups: null },
  { norm_eps: -1 },
  { norm_eps: '1e-5' },
  { in_channels: 0 },
  { sample_size: [64] },
  { use_linear_projection: 'yes' },
  { freq_shift: null },
  { freq_shift: 160 },
  { mid_block_type: 3 },
]

const unsupportedVae: readonly Change[] = [
  { in_channels: 4 },
  { out_channels: 1 },
  { act_fn: 'relu' },
  { shift_factor: 0.1159 },
  { latents_mean: [0, 0, 0, 0] },
  { latents_std: [1, 1, 1, 1] },
  {
    down_block_types: [
      'DownEncoderBlock2D',
      'AttnDownEncoderBlock2D',
      'DownEncoderBlock2D',
      'DownEncoderBlock2D',
    ],
  },
  { up_block_types: ['AttnUpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D'] },
  { temporal_layers: 2 },
]

const invalidVae: readonly Change[] = [
  { block_out_channels: [128, 256] },
  { block_out_channels: [100, 256, 512, 512] },
  { latent_channels: 'four' },
  { scaling_factor: 0 },
  { scaling_factor: -1 },
  { layers_per_block: [2, 2, 2, 2] },
  { layers_per_block: 64 },
  { use_quant_conv: 1 },
]

const unsupportedText: readonly Change[] = [
  { hidden_act: 'relu' },
  { model_type: 't5' },
  { architectures: ['CLIPTextModelWithProjection'] },
  { use_attention_mask: true },
  { pruned_heads: { 0: [1] } },
  { quantization_config: { bits: 4 } },
  { rope_theta: 10000 },
]

const invalidText: readonly Change[] = [
  { hidden_size: 770 },
  { num_attention_heads: 0 },
  { num_hidden_layers: 1e6 },
  { vocab_size: 2 ** 31 },
  { max_position_embeddings: '77' },
  { layer_norm_eps: null },
  { intermediate_size: -1 },
]

describe.each([
  ['UNet', sd15.unet, parseUnetConfig, unsupportedUnet, invalidUnet],
  ['VAE', sd15.vae, parseVaeConfig, unsupportedVae, invalidVae],
  ['text encoder', sd15.text, parseTextEncoderConfig, unsupportedText, invalidText],
] as const)('%s', (_, published, parse, unsupported, invalid) => {
  const attempt = (change: Change) => thrownBy(() => parse({ ...published, ...change }, 'the/config.json'))

  it.each(unsupported.map((change) => [JSON.stringify(change), change] as const))(
    'does not support %s',
    async (_, change) => {
      const error = await attempt(change)
      expect(error.code).toBe('UNSUPPORTED_MODEL')
      expect(error.message).toMatch(new RegExp(`^the/config.json: .*${Object.keys(change)[0]}`))
    },
  )
  it.each(invalid.map((change) => [JSON.stringify(change), change] as const))(
    'refuses %s',
    async (_, change) => {
      const error = await attempt(change)
      expect(error.code).toBe('INVALID_CONFIG')
      expect(error.message).toMatch(/^the\/config.json: /)
      expect(error.message).toMatch(
        new RegExp(`${Object.keys(change)[0]}|block_out_channels|num_attention_heads`),
      )
    },
  )
  it.each([[[]], [null], ['text'], [3]])('refuses %j in place of an object', async (json) => {
    expect(await thrownBy(() => parse(json, 'the/config.json'))).toMatchObject({ code: 'INVALID_CONFIG' })
  })
  it('lets pass what is off, private or harmless', () => {
    const more = { _private: 1, some_new_trick: null, another: false }
    expect(parse({ ...published, ...more }, 'the/config.json')).toEqual(parse(published, 'the/config.json'))
  })
  it.each(hostileValues)('has few words for %s', (_, value) => {
    for (const json of replaced({ ...published, _class_name: '' }, value)) {
      expectFewWords(() => parse(json, 'the/config.json'))
    }
    expectFewWords(() => parse(value, 'the/config.json'))
  })
  it('is not fooled by the names of Object.prototype', async () => {
    const json: unknown = JSON.parse('{"__proto__": {"in_channels": 9}, "constructor": 1}')
    expect((await thrownBy(() => parse(json, 'the/config.json'))).message).toContain('"constructor"')
  })
})

it('refuses lists of a million entries without a look at each', async () => {
  const list = Array<number>(1e6).fill(0)
  const start = performance.now()
  for (const field of ['down_block_types', 'up_block_types', 'reverse_transformer_layers_per_block']) {
    expect((await thrownBy(() => parseUnetConfig({ [field]: list }, 'f'))).message).toContain('Too big')
  }
  const betas = () => parseSchedulerConfig({ trained_betas: list }, 'f')
  expect((await thrownBy(betas)).message).toContain('Too big')
  // Those of zod take 12 s.
  expect(performance.now() - start).toBeLessThan(5_000)
})

it('names the class of another architecture', async () => {
  const error = await thrownBy(() => parseVaeConfig({ _class_name: 'AutoencoderTiny' }, 'vae/config.json'))
  expect(error).toMatchObject({
    code: 'UNSUPPORTED_MODEL',
    message: expect.stringContaining('AutoencoderTiny'),
  })
})

const index = {
  _class_name: 'StableDiffusionPipeline',
  _diffusers_version: '0.6.0',
  feature_extractor: ['transformers', 'CLIPImageProcessor'],
  safety_checker: ['stable_diffusion', 'StableDiffusionSafetyChecker'],
  scheduler: ['diffusers', 'PNDMScheduler'],
  text_encoder: ['transformers', 'CLIPTextModel'],
  tokenizer: ['transformers', 'CLIPTokenizer'],
  unet: ['diffusers', 'UNet2DConditionModel'],
  vae: ['diffusers', 'AutoencoderKL'],
}

describe('model_index.json', () => {
  it('of Stable Diffusion 1.5', () => {
    expect(parseModelIndex(index, 'model_index.json')).toEqual({
      className: 'StableDiffusionPipeline',
      scheduler: 'PNDMScheduler',
      safetyChecker: true,
    })
    expect(parseModelIndex({ ...index, safety_checker: [null, null] }, 'x').safetyChecker).toBe(false)
  })
  it.each([
    ['StableDiffusionXLPipeline', 'Stable Diffusion XL'],
    ['FluxPipeline', 'FLUX'],
    ['StableDiffusion3Pipeline', 'Stable Diffusion 3'],
    ['StableDiffusionInpaintPipeline', 'inpainting'],
    ['NobodyKnowsPipeline', 'NobodyKnowsPipeline'],
  ])('says what a %s is', async (className, words) => {
    const error = await thrownBy(() =>
      parseModelIndex({ ...index, _class_name: className }, 'model_index.json'),
    )
    expect(error.code).toBe('UNSUPPORTED_MODEL')
    expect(error.message).toContain(words)
  })
  it.each([
    [{ text_encoder: ['transformers', 'T5EncoderModel'] }, 'UNSUPPORTED_MODEL', 'text_encoder'],
    [{ vae: ['diffusers', 'AutoencoderTiny'] }, 'UNSUPPORTED_MODEL', 'vae'],
    [{ text_encoder_2: ['transformers', 'CLIPTextModel'] }, 'UNSUPPORTED_MODEL', 'text_encoder_2'],
    [{ unet: [null, null] }, 'INVALID_CONFIG', 'unet'],
    [{ unet: 'UNet2DConditionModel' }, 'INVALID_CONFIG', 'unet'],
    [{ scheduler: undefined }, 'INVALID_CONFIG', 'scheduler'],
    [{ scheduler: ['diffusers', 3] }, 'INVALID_CONFIG', 'scheduler'],
    [{ _class_name: undefined }, 'INVALID_CONFIG', '_class_name'],
  ])('refuses %j', async (change, code, word) => {
    const error = await thrownBy(() => parseModelIndex({ ...index, ...change }, 'model_index.json'))
    expect(error).toMatchObject({ code, message: expect.stringContaining(word) })
  })
  it.each(hostileValues)('has few words for %s', (_, value) => {
    for (const json of [value, ...replaced(index, value), ...replaced(index, ['diffusers', value])]) {
      expectFewWords(() => parseModelIndex(json, 'model_index.json'))
    }
    const odd = { ...index, ['x'.repeat(1e6)]: ['diffusers', 'y'.repeat(1e6)] }
    expectFewWords(() => parseModelIndex(odd, 'model_index.json'))
  })
  it('refuses what is no object', async () => {
    expect(await thrownBy(() => parseModelIndex([], 'model_index.json'))).toMatchObject({
      code: 'INVALID_CONFIG',
    })
  })
})

describe('parts that do not fit together', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tintype-model-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it.each([
    [{ in_channels: 9 }, 'UNSUPPORTED_MODEL', 'inpainting'],
    [{ in_channels: 8 }, 'UNSUPPORTED_MODEL', 'in_channels'],
    [{ out_channels: 8 }, 'UNSUPPORTED_MODEL', 'out_channels'],
    [{ cross_attention_dim: 768 }, 'INVALID_CONFIG', 'hidden_size'],
  ])('a UNet with %j', async (change, code, word) => {
    const model = join(folder, 'model')
    await cp(join(import.meta.dirname, '../../golden/pipelines/sd1/model'), model, { recursive: true })
    const file = join(model, 'unet/config.json')
    await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), ...change }))
    const error = await thrownBy(() => readModelConfigs(model))
    expect(error).toMatchObject({ code, message: expect.stringContaining(word) })
  })
})
