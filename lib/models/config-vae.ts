// The VAE's config.json (diffusers' AutoencoderKL) as the numbers that its graphs are built from.

import * as z from 'zod'
import {
  type ConfigRules,
  checkBlockTypes,
  checkClass,
  checkDepth,
  checkGroups,
  checkLength,
  count,
  forEachLevel,
  parseConfig,
} from './config-file.ts'

export interface VaeConfig {
  readonly latentChannels: number
  /** Channels of each level, from the picture's size down; the decoder runs them backwards. */
  readonly channels: readonly number[]
  /** Resnets in a level of the encoder; the decoder has one more. */
  readonly layersPerBlock: number
  readonly normGroups: number
  /** Whether the middle has its one self-attention (a single head over all channels). */
  readonly midAttention: boolean
  readonly quantConv: boolean
  readonly postQuantConv: boolean
  /** The UNet's latents are the VAE's times this. */
  readonly scalingFactor: number
  /** Pixels to a latent, along each side. */
  readonly factor: number
}

const rules = {
  used: {
    block_out_channels: forEachLevel(count(16384)).min(1).default([64]),
    down_block_types: forEachLevel(z.string()).default(['DownEncoderBlock2D']),
    up_block_types: forEachLevel(z.string()).default(['UpDecoderBlock2D']),
    layers_per_block: count(64).default(1),
    latent_channels: count(256).default(4),
    norm_num_groups: count(1024).default(32),
    scaling_factor: z.number().positive().max(1e4).default(0.18215),
    use_quant_conv: z.boolean().default(true),
    use_post_quant_conv: z.boolean().default(true),
    mid_block_add_attention: z.boolean().default(true),
  },
  fixed: {
    in_channels: [3],
    out_channels: [3],
    act_fn: ['silu', 'swish'],
    shift_factor: [null, 0],
    latents_mean: [null],
    latents_std: [null],
  },
  harmless: ['sample_size', 'force_upcast'],
} satisfies ConfigRules<z.ZodRawShape>

const blockTypes = { down_block_types: ['DownEncoderBlock2D'], up_block_types: ['UpDecoderBlock2D'] }

/** @param file the path that error messages name */
export function parseVaeConfig(json: unknown, file: string): VaeConfig {
  checkClass(json, file, 'AutoencoderKL')
  const fields = parseConfig(json, file, rules)
  const channels = fields.block_out_channels
  for (const field of ['down_block_types', 'up_block_types'] as const) {
    checkBlockTypes(file, field, fields[field], blockTypes[field])
    checkLength(file, field, fields[field], channels.length)
  }
  checkGroups(file, channels, fields.norm_num_groups)
  // Those of the encoder, of the decoder and of the middle of each.
  const layers = channels.length * (2 * fields.layers_per_block + 1) + 4
  checkDepth(file, 'layers_per_block and block_out_channels', layers)
  return {
    latentChannels: fields.latent_channels,
    channels,
    layersPerBlock: fields.layers_per_block,
    normGroups: fields.norm_num_groups,
    midAttention: fields.mid_block_add_attention,
    quantConv: fields.use_quant_conv,
    postQuantConv: fields.use_post_quant_conv,
    scalingFactor: fields.scaling_factor,
    factor: 2 ** (channels.length - 1),
  }
}
