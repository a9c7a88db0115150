// The noise predictor: UNet2DConditionModel of Stable Diffusion 1.x and 2.x (Rombach et al., 2022).

import { concat, silu, timestepEmbedding } from '../tensor/functional.ts'
import type { Scope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/trace.ts'
import type { UnetAttention, UnetConfig, UnetLevel } from './configs.ts'
import { conv, dense, normGroups } from './layers.ts'
import { downsampler, resnetBlock, upsampler } from './resnet.ts'
import { spatialTransformer } from './transformer.ts'

export interface UnetInputs {
  /** (N, H, W, inChannels), already scaled as the sampler asks. */
  readonly latents: Tensor
  /** (1): one timestep for all pictures. */
  readonly timestep: Tensor
  /** Text embeddings, (N, L, crossAttentionDim). */
  readonly context: Tensor
}

/** What all blocks of one UNet share. */
interface Shared {
  readonly config: UnetConfig
  readonly context: Tensor
  /** silu of the time embedding, (1, timeEmbedDim). */
  readonly time: Tensor
}

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

/** Predicts the noise (or velocity, or sample: the config of the scheduler knows), (N, H, W, outChannels). */
export function unet(scope: Scope, { latents, timestep, context }: UnetInputs, config: UnetConfig): Tensor {
  const shared = { config, context, time: silu(timeEmbedding(scope, timestep, config)) }
  const { convInKernel, convOutKernel } = config
  let x = conv(scope, 'conv_in', latents, {
    out: config.down[0]!.channels,
    kernel: convInKernel,
    padding: (convInKernel - 1) / 2,
  })

  const skips = [x]
  const keep = (skip: Tensor) => {
    skips.push(skip)
    return skip
  }
  config.down.forEach((level, i) => {
    scope.in(`down_blocks.${i}`, (s) => {
      for (let j = 0; j < level.resnets; j++) x = keep(layer(s, j, x, level, shared))
      if (i + 1 < config.down.length) x = keep(downsampler(s, x, 1))
    })
  })

  const { mid } = config
  if (mid) {
    x = scope.in('mid_block', (s) => {
      const before = resnet(s, 'resnets.0', x, mid.channels, shared)
      const between = transformer(s, 'attentions.0', before, mid.attention, shared)
      return resnet(s, 'resnets.1', between, mid.channels, shared)
    })
  }

  config.up.forEach((level, i) => {
    scope.in(`up_blocks.${i}`, (s) => {
      for (let j = 0; j < level.resnets; j++) x = layer(s, j, concat(x, skips.pop()!), level, shared)
      // The next skip knows the size: odd sizes were rounded up on the way down.
      const next = skips.at(-1)
      if (i + 1 < config.up.length) x = upsampler(s, x, [next!.shape[1]!, next!.shape[2]!])
    })
  })

  const normed = normGroups(scope, 'conv_norm_out', x, { groups: config.normGroups, eps: config.normEps })
  return conv(scope, 'conv_out', silu(normed), {
    out: config.outChannels,
    kernel: convOutKernel,
    padding: (convOutKernel - 1) / 2,
  })
}
