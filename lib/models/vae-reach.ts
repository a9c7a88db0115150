// How far the autoencoder's convolutions see: what of its features a strip of the picture depends on, apart from the
// statistics of its norms, which see everything.

import type { VaeConfig } from './configs.ts'

/** Where a part of the autoencoder can be cut, in the order of `vaeDecoderTail` or `vaeEncoderHead`. */
export interface Reach {
  /** Rows of features above and below a row that what is computed from it, or it from pixels, depends on. */
  readonly rows: number
  /** Pixels to a feature, along one side. */
  readonly scale: number
  /** Channels of the features. */
  readonly channels: number
}

/** Of pixels to features after level `cut` of the decoder: each 3x3 convolution sees one row further. */
export function decoderReach({ channels, layersPerBlock }: VaeConfig, cut: number): Reach {
  const last = channels.length - 1
  let rows = 1
  for (let level = last; level > cut; level--) rows = Math.ceil((rows + 2 * (layersPerBlock + 1) + 1) / 2)
  return { rows, scale: 2 ** (last - cut), channels: channels.at(-1 - cut)! }
}

/** Of features after level `cut` of the encoder, which is not the last one, to pixels. */
export function encoderReach({ channels, layersPerBlock }: VaeConfig, cut: number): Reach {
  const scale = 2 ** (cut + 1)
  let rows = 0
  // Halving sees one row below what it makes of two.
  for (let level = cut; level >= 0; level--) rows = 2 * rows + 1 + 2 * layersPerBlock
  return { rows: Math.ceil((rows + 1) / scale), scale, channels: channels[cut]! }
}
