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

const head = (scope: Scope, x: Tensor, out: number, config: VaeConfig) =>
  conv3x3(scope, 'conv_out', silu(normGroups(scope, 'conv_norm_out', x, normOf(config))), out)

/** Pixels in [-1, 1], (N, H, W, 3), to moments (N, H/f, W/f, 2 * latentChannels): means, then log-variances. */
export function vaeEncoder(root: Scope, pixels: Tensor, config: VaeConfig): Tensor {
  const { channels, layersPerBlock, latentChannels } = config
  const moments = root.in('encoder', (scope) => {
    let x = conv3x3(scope, 'conv_in', pixels, channels[0]!)
    channels.forEach((c, i) => {
      scope.in(`down_blocks.${i}`, (s) => {
        for (let j = 0; j < layersPerBlock; j++) x = resnet(s, `resnets.${j}`, x, c, config)
        if (i + 1 < channels.length) x = downsampler(s, x, [0, 0, 1, 1])
      })
    })
    return head(scope, midBlock(scope, x, config), 2 * latentChannels, config)
  })
  return config.quantConv ? conv1x1(root, 'quant_conv', moments, 2 * latentChannels) : moments
}

/** Latents divided by the scaling factor, (N, H, W, latentChannels), to pixels of about [-1, 1], (N, fH, fW, 3). */
export function vaeDecoder(root: Scope, latents: Tensor, config: VaeConfig): Tensor {
  const { layersPerBlock, latentChannels } = config
  const channels = config.channels.toReversed()
  const quantised = config.postQuantConv ? conv1x1(root, 'post_quant_conv', latents, latentChannels) : latents
  return root.in('decoder', (scope) => {
    let x = midBlock(scope, conv3x3(scope, 'conv_in', quantised, channels[0]!), config)
    channels.forEach((c, i) => {
      scope.in(`up_blocks.${i}`, (s) => {
        for (let j = 0; j < layersPerBlock + 1; j++) x = resnet(s, `resnets.${j}`, x, c, config)
        if (i + 1 < channels.length) x = upsampler(s, x, [2 * x.shape[1]!, 2 * x.shape[2]!])
      })
    })
    return head(scope, x, 3, config)
  })
}
