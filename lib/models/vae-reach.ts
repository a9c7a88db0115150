// How far the autoencoder's convolutions see: which features a part of the picture depends on, or the other way round,
// once the statistics of its norms, which see everything, are known.

import type { VaeConfig } from './configs.ts'

/** Of features where the autoencoder is cut. */
export interface Reach {
  /** Rows next to an inner edge of a strip that what is beyond the edge would change. */
  readonly rows: number
  /** Pixels to a feature, along one side. */
  readonly scale: number
  /** Channels of the features. */
  readonly channels: number
}

/** For the decoder after level `cut`: each 3x3 convolution sees one row further. */
export function decoderReach({ channels, layersPerBlock }: VaeConfig, cut: number): Reach {
  const last = channels.length - 1
  let rows = 1
  for (let level = last; level > cut; level--) rows = Math.ceil((rows + 2 * (layersPerBlock + 1) + 1) / 2)
  return { rows, scale: 2 ** (last - cut), channels: channels.at(-1 - cut)! }
}

/** For the encoder to the end of level `cut`, which is not the last one. */
export function encoderReach({ channels, layersPerBlock }: VaeConfig, cut: number): Reach {
  const scale = 2 ** (cut + 1)
  let rows = 0
  // Halving sees one row below what it makes of two.
  for (let level = cut; level >= 0; level--) rows = 2 * rows + 1 + 2 * layersPerBlock
  return { rows: Math.ceil((rows + 1) / scale), scale, channels: channels[cut]! }
}
