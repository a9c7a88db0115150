// The autoencoder between pixels and latents: AutoencoderKL (Rombach et al., 2022, section 3.1).

import { add, attention, silu } from '../tensor/functional.ts'
import type { Scope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/trace.ts'
import type { VaeConfig } from './configs.ts'
import { conv1x1, conv3x3, dense, type GroupNormSettings, normGroups } from './layers.ts'
import { downsampler, resnetBlock, upsampler } from './resnet.ts'

const normOf = ({ normGroups: groups }: VaeConfig): GroupNormSettings => ({ groups, eps: 1e-6 })

const resnet = (scope: Scope, name: string, x: Tensor, out: number, config: VaeConfig) =>
  scope.in(name, (s) => resnetBlock(s, x, { out, norm: normOf(config) }))

/** Every pixel looks at all others, with a single head over all channels. */
function selfAttention(scope: Scope, x: Tensor, config: VaeConfig): Tensor {
  const [n, h, w, c] = x.shape as [number, number, number, number]
  const tokens = normGroups(scope, 'group_norm', x, normOf(config)).reshape(n, h * w, c)
  const [q, k, v] = ['to_q', 'to_k', 'to_v'].map((name) => dense(scope, name, tokens, c))
  const out = scope.in('to_out', (s) => dense(s, '0', attention(q!, k!, v!, { heads: 1 }), c))
  return add(x, out.reshape(n, h, w, c))
}

function midBlock(scope: Scope, x: Tensor, config: VaeConfig): Tensor {
  const c = x.shape.at(-1)!
  return scope.in('mid_block', (s) => {
    let h = resnet(s, 'resnets.0', x, c, config)
    if (config.midAttention) h = s.in('attentions.0', (a) => selfAttention(a, h, config))
    return resnet(s, 'resnets.1', h, c, config)
  })
}

const convOut = (scope: Scope, x: Tensor, out: number, config: VaeConfig) =>
  conv3x3(scope, 'conv_out', silu(normGroups(scope, 'conv_norm_out', x, normOf(config))), out)

/** One level of the encoder: its residual blocks, and half the size for the next one. */
function downLevel(scope: Scope, x: Tensor, level: number, config: VaeConfig): Tensor {
  const { channels, layersPerBlock } = config
  return scope.in(`down_blocks.${level}`, (s) => {
    let h = x
    for (let j = 0; j < layersPerBlock; j++) h = resnet(s, `resnets.${j}`, h, channels[level]!, config)
    return level + 1 < channels.length ? downsampler(s, h, [0, 0, 1, 1]) : h
  })
}

/** The encoder to the end of level `cut`: pixels in [-1, 1], (N, H, W, 3), to features for `vaeEncoderTail`. */
export function vaeEncoderHead(root: Scope, pixels: Tensor, config: VaeConfig, cut: number): Tensor {
  return root.in('encoder', (scope) => {
    let x = conv3x3(scope, 'conv_in', pixels, config.channels[0]!)
    for (let i = 0; i <= cut; i++) x = downLevel(scope, x, i, config)
    return x
  })
}

/** The encoder after level `cut`: features to moments (N, H/f, W/f, 2 * latentChannels), means, then log-variances. */
export function vaeEncoderTail(root: Scope, features: Tensor, config: VaeConfig, cut: number): Tensor {
  const { channels, latentChannels } = config
  const moments = root.in('encoder', (scope) => {
    let x = features
    for (let i = cut + 1; i < channels.length; i++) x = downLevel(scope, x, i, config)
    return convOut(scope, midBlock(scope, x, config), 2 * latentChannels, config)
  })
  return config.quantConv ? conv1x1(root, 'quant_conv', moments, 2 * latentChannels) : moments
}

/** Pixels in [-1, 1], (N, H, W, 3), to moments (N, H/f, W/f, 2 * latentChannels): means, then log-variances. */
export function vaeEncoder(root: Scope, pixels: Tensor, config: VaeConfig): Tensor {
  const last = config.channels.length - 1
  return vaeEncoderTail(root, vaeEncoderHead(root, pixels, config, last), config, last)
}

/** Residual blocks of one level of the decoder, level 0 being the smallest. */
function upLevel(scope: Scope, x: Tensor, level: number, config: VaeConfig): Tensor {
  const c = config.channels.at(-1 - level)!
  return scope.in(`up_blocks.${level}`, (s) => {
    let h = x
    for (let j = 0; j < config.layersPerBlock + 1; j++) h = resnet(s, `resnets.${j}`, h, c, config)
    return h
  })
}

/** Twice the size, from `level` to the next one. */
const upsampleLevel = (scope: Scope, x: Tensor, level: number) =>
  scope.in(`up_blocks.${level}`, (s) => upsampler(s, x, [2 * x.shape[1]!, 2 * x.shape[2]!]))

/**
 * The decoder up to the residual blocks of level `cut`: latents divided by the scaling factor,
 * (N, H, W, latentChannels), to features for `vaeDecoderTail`.
 */
export function vaeDecoderHead(root: Scope, latents: Tensor, config: VaeConfig, cut: number): Tensor {
  const { latentChannels, channels } = config
  const quantised = config.postQuantConv ? conv1x1(root, 'post_quant_conv', latents, latentChannels) : latents
  return root.in('decoder', (scope) => {
    let x = midBlock(scope, conv3x3(scope, 'conv_in', quantised, channels.at(-1)!), config)
    for (let i = 0; i <= cut; i++) {
      if (i > 0) x = upsampleLevel(scope, x, i - 1)
      x = upLevel(scope, x, i, config)
    }
    return x
  })
}

/** The decoder from the enlargement after level `cut`: features to pixels of about [-1, 1], (N, fH, fW, 3). */
export function vaeDecoderTail(root: Scope, features: Tensor, config: VaeConfig, cut: number): Tensor {
  return root.in('decoder', (scope) => {
    let x = features
    for (let i = cut + 1; i < config.channels.length; i++) {
      x = upLevel(scope, upsampleLevel(scope, x, i - 1), i, config)
    }
    return convOut(scope, x, 3, config)
  })
}

/** Latents divided by the scaling factor, (N, H, W, latentChannels), to pixels of about [-1, 1], (N, fH, fW, 3). */
export function vaeDecoder(root: Scope, latents: Tensor, config: VaeConfig): Tensor {
  const last = config.channels.length - 1
  return vaeDecoderTail(root, vaeDecoderHead(root, latents, config, last), config, last)
}
