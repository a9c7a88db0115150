// The noise predictor: UNet2DConditionModel of Stable Diffusion 1.x and 2.x (Rombach et al., 2022).

import { concat, silu, timestepEmbedding } from '../tensor/functional.ts'
import type { Scope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/trace.ts'
import type { UnetAttention, UnetConfig, UnetLevel } from './configs.ts'
import { conv, dense, normGroups } from './layers.ts'
import { downsampler, resnetBlock, upsampler } from './resnet.ts'
import { mergedLevel, type TokenMerging } from './token-merging.ts'
import { spatialTransformer } from './transformer.ts'

export interface UnetInputs {
  /** (N, H, W, inChannels), already scaled as the sampler asks. */
  readonly latents: Tensor
  /** (1): one timestep for all pictures. */
  readonly timestep: Tensor
  /** Text embeddings, (N, L, crossAttentionDim). */
  readonly context: Tensor
  /** Merges tokens before the self-attention of the largest maps that have it. */
  readonly merging?: TokenMerging | undefined
}

/** What all blocks of one UNet share. */
interface Shared {
  readonly config: UnetConfig
  readonly context: Tensor
  /** silu of the time embedding, (1, timeEmbedDim). */
  readonly time: Tensor
  readonly merging: TokenMerging | undefined
}

/** What the blocks of a level share, which is counted from the size of the latents down: only one level merges tokens. */
const inLevel = (shared: Shared, level: number): Shared =>
  level === mergedLevel(shared.config) ? shared : { ...shared, merging: undefined }

const resnet = (scope: Scope, name: string, x: Tensor, out: number, { config, time }: Shared) =>
  scope.in(name, (s) =>
    resnetBlock(s, x, { out, time, norm: { groups: config.normGroups, eps: config.normEps } }),
  )

const transformer = (scope: Scope, name: string, x: Tensor, attention: UnetAttention, shared: Shared) =>
  scope.in(name, (s) =>
    spatialTransformer(s, x, {
      attention,
      groups: shared.config.normGroups,
      linearProjection: shared.config.linearProjection,
      context: shared.context,
      merging: shared.merging,
    }),
  )

/** One residual block and, where the level has attention, the transformer after it. */
function layer(scope: Scope, i: number, x: Tensor, level: UnetLevel, shared: Shared): Tensor {
  const h = resnet(scope, `resnets.${i}`, x, level.channels, shared)
  return level.attention ? transformer(scope, `attentions.${i}`, h, level.attention, shared) : h
}

function timeEmbedding(scope: Scope, timestep: Tensor, config: UnetConfig): Tensor {
  const { timeEmbedDim, flipSinToCos, freqShift } = config
  const waves = timestepEmbedding(timestep, {
    dim: config.down[0]!.channels,
    cosFirst: flipSinToCos,
    shift: freqShift,
  })
  return scope.in('time_embedding', (s) =>
    dense(s, 'linear_2', silu(dense(s, 'linear_1', waves, timeEmbedDim)), timeEmbedDim),
  )
}

const shareAmong = (
  scope: Scope,
  { timestep, context, merging }: UnetInputs,
  config: UnetConfig,
): Shared => ({
  config,
  context,
  merging,
  time: silu(timeEmbedding(scope, timestep, config)),
})

const firstConv = (scope: Scope, latents: Tensor, { convInKernel, down }: UnetConfig): Tensor =>
  conv(scope, 'conv_in', latents, {
    out: down[0]!.channels,
    kernel: convInKernel,
    padding: (convInKernel - 1) / 2,
  })

/** One layer of the way up: it takes the last skip that is left. */
const upLayer = (scope: Scope, j: number, x: Tensor, skip: Tensor, level: UnetLevel, shared: Shared) =>
  layer(scope, j, concat(x, skip), level, shared)

/** From the first convolution to the input of the last layer. */
function deepPart(scope: Scope, first: Tensor, shared: Shared): Tensor {
  const { config } = shared
  let x = first
  const skips = [x]
  const keep = (skip: Tensor) => {
    skips.push(skip)
    return skip
  }
  config.down.forEach((level, i) => {
    scope.in(`down_blocks.${i}`, (s) => {
      for (let j = 0; j < level.resnets; j++) x = keep(layer(s, j, x, level, inLevel(shared, i)))
      if (i + 1 < config.down.length) x = keep(downsampler(s, x, 1))
    })
  })

  const { mid } = config
  if (mid) {
    const own = inLevel(shared, config.down.length)
    x = scope.in('mid_block', (s) => {
      const before = resnet(s, 'resnets.0', x, mid.channels, shared)
      const between = transformer(s, 'attentions.0', before, mid.attention, own)
      return resnet(s, 'resnets.1', between, mid.channels, shared)
    })
  }

  config.up.forEach((level, i) => {
    const isLast = i + 1 === config.up.length
    const own = inLevel(shared, config.up.length - 1 - i)
    scope.in(`up_blocks.${i}`, (s) => {
      const layers = isLast ? level.resnets - 1 : level.resnets
      for (let j = 0; j < layers; j++) x = upLayer(s, j, x, skips.pop()!, level, own)
      // The next skip knows the size: odd sizes were rounded up on the way down.
      const next = skips.at(-1)
      if (!isLast) x = upsampler(s, x, [next!.shape[1]!, next!.shape[2]!])
    })
  })
  return x
}

/** The last layer, which joins the first convolution's skip, and what makes the prediction of it. */
function lastPart(scope: Scope, features: Tensor, skip: Tensor, shared: Shared): Tensor {
  const { config } = shared
  const { up, convOutKernel } = config
  const level = up.at(-1)!
  const x = scope.in(`up_blocks.${up.length - 1}`, (s) =>
    upLayer(s, level.resnets - 1, features, skip, level, inLevel(shared, 0)),
  )
  const normed = normGroups(scope, 'conv_norm_out', x, { groups: config.normGroups, eps: config.normEps })
  return conv(scope, 'conv_out', silu(normed), {
    out: config.outChannels,
    kernel: convOutKernel,
    padding: (convOutKernel - 1) / 2,
  })
}

export interface UnetOutputs {
  /** The noise (or velocity, or sample: the config of the scheduler knows), (N, H, W, outChannels). */
  readonly prediction: Tensor
  /** The input of the last layer, (N, H, W, channels): what `unetFrom` goes on with. */
  readonly features: Tensor
}

/** The whole UNet, with the features that a later step may use again. */
export function unetWithFeatures(scope: Scope, inputs: UnetInputs, config: UnetConfig): UnetOutputs {
  const shared = shareAmong(scope, inputs, config)
  const first = firstConv(scope, inputs.latents, config)
  const features = deepPart(scope, first, shared)
  return { features, prediction: lastPart(scope, features, first, shared) }
}

/** The prediction, (N, H, W, outChannels). */
export const unet = (scope: Scope, inputs: UnetInputs, config: UnetConfig): Tensor =>
  unetWithFeatures(scope, inputs, config).prediction

/**
 * The prediction with the features of an earlier step: only the first convolution and the last layer are computed
 * (DeepCache, Ma et al., arXiv:2312.00858, with its skip branch 0).
 */
export function unetFrom(
  scope: Scope,
  { features, ...inputs }: UnetInputs & { readonly features: Tensor },
  config: UnetConfig,
): Tensor {
  const shared = shareAmong(scope, inputs, config)
  return lastPart(scope, features, firstConv(scope, inputs.latents, config), shared)
}

/** Channels of the features: those that the last but one layer gives, or the level before the last. */
export function featureChannels({ up }: UnetConfig): number {
  const last = up.at(-1)!
  return (last.resnets > 1 ? last : up.at(-2)!).channels
}
