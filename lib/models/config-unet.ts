// The UNet's config.json (diffusers' UNet2DConditionModel) as the levels and numbers that its graph is built from.

import * as z from 'zod'
import { show } from '../show.ts'
import {
  type ConfigRules,
  checkBlockTypes,
  checkClass,
  checkDepth,
  checkGroups,
  checkHeads,
  checkLength,
  count,
  epsilon,
  forEachLevel,
  invalid,
  oneOrEach,
  parseConfig,
  unsupported,
} from './config-file.ts'

/** The transformers of a level: each resnet is followed by one, of `layers` blocks. */
export interface UnetAttention {
  readonly heads: number
  readonly headSize: number
  readonly layers: number
}

export interface UnetLevel {
  readonly channels: number
  /** Resnets on the way down; on the way up one more. */
  readonly resnets: number
  /** Undefined for a level without attention. */
  readonly attention: UnetAttention | undefined
}

export interface UnetConfig {
  readonly inChannels: number
  readonly outChannels: number
  /** Latents that the model was trained on, if the file says so. */
  readonly sampleSize: { readonly height: number; readonly width: number } | undefined
  /** From the size of the latents down; all but the last end in a downsampler. */
  readonly down: readonly UnetLevel[]
  /** Undefined for a model without a middle (distilled ones). Two resnets with a transformer between them. */
  readonly mid: { readonly channels: number; readonly attention: UnetAttention } | undefined
  /** From the smallest size up, in the order in which they run; all but the last end in an upsampler. */
  readonly up: readonly UnetLevel[]
  readonly crossAttentionDim: number
  readonly normGroups: number
  readonly normEps: number
  /** The transformers' projections are matrices, not 1x1 convolutions; the arithmetic is the same, the shapes are not. */
  readonly linearProjection: boolean
  readonly timeEmbedDim: number
  readonly flipSinToCos: boolean
  readonly freqShift: number
  readonly convInKernel: number
  readonly convOutKernel: number
}

const rules = {
  used: {
    sample_size: z.union([count(65536), z.array(count(65536)).length(2)]).nullish(),
    in_channels: count(256).default(4),
    out_channels: count(256).default(4),
    flip_sin_to_cos: z.boolean().default(true),
    freq_shift: z.number().min(-1e3).max(1e3).default(0),
    block_out_channels: forEachLevel(count(16384)).min(1).default([320, 640, 1280, 1280]),
    down_block_types: forEachLevel(z.string()).default([
      'CrossAttnDownBlock2D',
      'CrossAttnDownBlock2D',
      'CrossAttnDownBlock2D',
      'DownBlock2D',
    ]),
    mid_block_type: z.string().nullable().default('UNetMidBlock2DCrossAttn'),
    up_block_types: forEachLevel(z.string()).default([
      'UpBlock2D',
      'CrossAttnUpBlock2D',
      'CrossAttnUpBlock2D',
      'CrossAttnUpBlock2D',
    ]),
    layers_per_block: oneOrEach(64).default(2),
    norm_num_groups: count(1024).default(32),
    norm_eps: epsilon.default(1e-5),
    cross_attention_dim: oneOrEach(16384).default(1280),
    transformer_layers_per_block: oneOrEach(64).default(1),
    reverse_transformer_layers_per_block: forEachLevel(count(64)).nullish(),
    attention_head_dim: oneOrEach(1024).default(8),
    use_linear_projection: z.boolean().default(false),
    time_embedding_dim: count(65536).nullish(),
    conv_in_kernel: count(15).default(3),
    conv_out_kernel: count(15).default(3),
  },
  fixed: {
    center_input_sample: [false],
    only_cross_attention: [false],
    mid_block_only_cross_attention: [null, false],
    downsample_padding: [1],
    mid_block_scale_factor: [1],
    act_fn: ['silu', 'swish'],
    encoder_hid_dim: [null],
    encoder_hid_dim_type: [null],
    num_attention_heads: [null],
    dual_cross_attention: [false],
    class_embed_type: [null],
    addition_embed_type: [null],
    num_class_embeds: [null],
    resnet_time_scale_shift: ['default'],
    resnet_skip_time_act: [false],
    resnet_out_scale_factor: [1],
    time_embedding_type: ['positional'],
    time_embedding_act_fn: [null],
    timestep_post_act: [null],
    time_cond_proj_dim: [null],
    attention_type: ['default'],
    class_embeddings_concat: [false],
    cross_attention_norm: [null],
  },
  // upcast_attention is about fp16; the embeddings' sizes count only beside a type that is refused above; the last lines are
  // what diffusers' training script with EMA leaves behind.
  harmless: [
    ...['dropout', 'upcast_attention', 'addition_time_embed_dim', 'addition_embed_type_num_heads'],
    ...[
      'projection_class_embeddings_input_dim',
      'decay',
      'min_decay',
      'optimization_step',
      'update_after_step',
    ],
    ...['use_ema_warmup', 'inv_gamma', 'power'],
  ],
} satisfies ConfigRules<z.ZodRawShape>

/** @param file the path that error messages name */
export function parseUnetConfig(json: unknown, file: string): UnetConfig {
  checkClass(json, file, 'UNet2DConditionModel')
  const fields = parseConfig(json, file, rules)
  const channels = fields.block_out_channels
  const levels = channels.length
  checkGroups(file, channels, fields.norm_num_groups)
  checkShift(file, channels[0]!, fields.freq_shift)
  checkBlockTypes(file, 'down_block_types', fields.down_block_types, ['CrossAttnDownBlock2D', 'DownBlock2D'])
  checkBlockTypes(file, 'up_block_types', fields.up_block_types, ['CrossAttnUpBlock2D', 'UpBlock2D'])
  checkLength(file, 'down_block_types', fields.down_block_types, levels)
  checkLength(file, 'up_block_types', fields.up_block_types, levels)

  const each = (field: string, value: number | number[]) => {
    const list = typeof value === 'number' ? channels.map(() => value) : value
    checkLength(file, field, list, levels)
    return list
  }
  // diffusers' attention_head_dim is the number of heads: a naming slip that 40,000 files now depend on
  // (huggingface/diffusers issue 2011).
  const heads = each('attention_head_dim', fields.attention_head_dim)
  const resnets = each('layers_per_block', fields.layers_per_block)
  const depthsDown = each('transformer_layers_per_block', fields.transformer_layers_per_block)
  const depthsUp = each(
    'reverse_transformer_layers_per_block',
    fields.reverse_transformer_layers_per_block ?? depthsDown.toReversed(),
  )
  const attention = (level: number, layers: number): UnetAttention => {
    checkHeads(file, { field: 'attention_head_dim', heads: heads[level]!, channels: channels[level]! })
    return { heads: heads[level]!, headSize: channels[level]! / heads[level]!, layers }
  }
  const down = fields.down_block_types.map((type, i) => ({
    channels: channels[i]!,
    resnets: resnets[i]!,
    attention: type === 'CrossAttnDownBlock2D' ? attention(i, depthsDown[i]!) : undefined,
  }))
  const up = fields.up_block_types.map((type, i) => {
    const level = levels - 1 - i
    return {
      channels: channels[level]!,
      resnets: resnets[level]! + 1,
      attention: type === 'CrossAttnUpBlock2D' ? attention(level, depthsUp[i]!) : undefined,
    }
  })
  const mid = hasMiddle(file, fields.mid_block_type)
    ? { channels: channels.at(-1)!, attention: attention(levels - 1, depthsDown.at(-1)!) }
    : undefined
  checkDepth(file, 'layers_per_block and transformer_layers_per_block', depth({ down, mid, up }))
  return {
    inChannels: fields.in_channels,
    outChannels: fields.out_channels,
    sampleSize: sampleSize(fields.sample_size),
    down,
    mid,
    up,
    crossAttentionDim: sameForAll(file, each('cross_attention_dim', fields.cross_attention_dim)),
    normGroups: fields.norm_num_groups,
    normEps: fields.norm_eps,
    linearProjection: fields.use_linear_projection,
    timeEmbedDim: fields.time_embedding_dim ?? 4 * channels[0]!,
    flipSinToCos: fields.flip_sin_to_cos,
    freqShift: fields.freq_shift,
    convInKernel: oddKernel(file, 'conv_in_kernel', fields.conv_in_kernel),
    convOutKernel: oddKernel(file, 'conv_out_kernel', fields.conv_out_kernel),
  }
}

/** The frequencies of a timestep's embedding are spread over half of its channels, less the shift. */
function checkShift(file: string, channels: number, shift: number) {
  const most = Math.floor(channels / 2)
  if (shift < most) return
  throw invalid(
    file,
    `freq_shift is ${shift}; it must be below ${most}, half of the first of block_out_channels.`,
  )
}

function depth({ down, mid, up }: Pick<UnetConfig, 'down' | 'mid' | 'up'>): number {
  const ofLevel = ({ resnets, attention }: UnetLevel) => resnets * (1 + (attention?.layers ?? 0))
  const middle = mid ? 2 + mid.attention.layers : 0
  return [...down, ...up].reduce((sum, level) => sum + ofLevel(level), middle)
}

function sampleSize(size: number | number[] | null | undefined): UnetConfig['sampleSize'] {
  if (size === null || size === undefined) return undefined
  return typeof size === 'number' ? { height: size, width: size } : { height: size[0]!, width: size[1]! }
}

function hasMiddle(file: string, type: string | null): boolean {
  if (type === null || type === 'UNetMidBlock2DCrossAttn') return type !== null
  throw unsupported(
    file,
    `mid_block_type is ${show(type)}; tintype supports "UNetMidBlock2DCrossAttn" or null.`,
  )
}

function sameForAll(file: string, widths: readonly number[]): number {
  if (new Set(widths).size === 1) return widths[0]!
  throw unsupported(
    file,
    `cross_attention_dim is ${show(widths)}; tintype supports one width for all levels.`,
  )
}

/** An even kernel would shrink the latents by a row. */
function oddKernel(file: string, field: string, kernel: number): number {
  if (kernel % 2 === 1) return kernel
  throw unsupported(file, `${field} is ${kernel}; tintype supports odd kernels.`)
}
