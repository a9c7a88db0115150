// What the features of the autoencoder are where it is cut in two, after a level.

import type { VaeConfig } from './configs.ts'

export interface Features {
  /** Pixels to a feature, along one side. */
  readonly scale: number
  readonly channels: number
}

/** Of the decoder, at the end of level `cut`, which is not the last one. */
export const decoderFeatures = ({ channels }: VaeConfig, cut: number): Features => ({
  scale: 2 ** (channels.length - 1 - cut),
  channels: channels.at(-1 - cut)!,
})

/** Of the encoder, after halving them at the end of level `cut`, which is not the last one. */
export const encoderFeatures = ({ channels }: VaeConfig, cut: number): Features => ({
  scale: 2 ** (cut + 1),
  channels: channels[cut]!,
})
