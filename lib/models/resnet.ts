// The residual block that UNet and autoencoder are made of, and the changes of size between levels.

import { add, addRowBias, silu, upsample } from '../tensor/functional.ts'
import type { Scope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/trace.ts'
import { conv, conv1x1, conv3x3, dense, type GroupNormSettings, normGroups } from './layers.ts'

export interface ResnetOptions {
  readonly out: number
  readonly norm: GroupNormSettings
  /** silu of the time embedding, (1, T); the autoencoder has none. */
  readonly time?: Tensor
}

/** (N, H, W, C) gives (N, H, W, out): two convolutions beside a shortcut (He et al., 2016, pre-activation). */
export function resnetBlock(scope: Scope, x: Tensor, { out, norm, time }: ResnetOptions): Tensor {
  let h = conv3x3(scope, 'conv1', silu(normGroups(scope, 'norm1', x, norm)), out)
  if (time) h = addRowBias(h, dense(scope, 'time_emb_proj', time, out))
  h = conv3x3(scope, 'conv2', silu(normGroups(scope, 'norm2', h, norm)), out)
  const shortcut = x.shape.at(-1) === out ? x : conv1x1(scope, 'conv_shortcut', x, out)
  return add(shortcut, h)
}

/** Enlarges to ho x wo, twice the size or one less, and convolves. */
export function upsampler(scope: Scope, x: Tensor, [ho, wo]: readonly [number, number]): Tensor {
  return scope.in('upsamplers', (s) =>
    s.in('0', (u) => conv3x3(u, 'conv', upsample(x, ho, wo), x.shape.at(-1)!)),
  )
}

/** Halves the size, rounding up with padding 1, or down with the autoencoder's zeros at the far edges only. */
export function downsampler(scope: Scope, x: Tensor, padding: 1 | readonly [0, 0, 1, 1]): Tensor {
  const options = { out: x.shape.at(-1)!, kernel: 3, stride: 2, padding }
  return scope.in('downsamplers', (s) => s.in('0', (d) => conv(d, 'conv', x, options)))
}
