// A model folder's configuration: the only place where the fields of checkpoints become the numbers that graphs are built from.

import { join } from 'node:path'
import { readJson } from '../json-file.ts'
import { invalid, unsupported } from './config-file.ts'
import { type ModelIndex, parseModelIndex } from './config-pipeline.ts'
import { parseTextEncoderConfig, type TextEncoderConfig } from './config-text.ts'
import { parseUnetConfig, type UnetConfig } from './config-unet.ts'
import { parseVaeConfig, type VaeConfig } from './config-vae.ts'

export { type ModelIndex, parseModelIndex } from './config-pipeline.ts'
export { parseTextEncoderConfig, type TextEncoderConfig } from './config-text.ts'
export { parseUnetConfig, type UnetAttention, type UnetConfig, type UnetLevel } from './config-unet.ts'
export { parseVaeConfig, type VaeConfig } from './config-vae.ts'

export interface ModelConfigs {
  readonly index: ModelIndex
  readonly textEncoder: TextEncoderConfig
  readonly unet: UnetConfig
  readonly vae: VaeConfig
}

/**
 * Reads model_index.json and the config.json of text encoder, UNet and VAE of a folder in diffusers layout.
 *
 * @throws TintypeError MODEL_NOT_FOUND for a missing file, INVALID_CONFIG for one that is malformed or contradicts
 * itself or another, UNSUPPORTED_MODEL for a model whose arithmetic tintype does not have; each names file and field
 */
export async function readModelConfigs(folder: string): Promise<ModelConfigs> {
  const indexFile = join(folder, 'model_index.json')
  const index = parseModelIndex(await readJson(indexFile), indexFile)
  const read = async <T>(part: string, parse: (json: unknown, file: string) => T) => {
    const file = join(folder, part, 'config.json')
    return { file, config: parse(await readJson(file), file) }
  }
  const textEncoder = await read('text_encoder', parseTextEncoderConfig)
  const unet = await read('unet', parseUnetConfig)
  const vae = await read('vae', parseVaeConfig)
  const { inChannels, outChannels, crossAttentionDim } = unet.config
  const { latentChannels } = vae.config
  if (inChannels === 2 * latentChannels + 1) {
    throw unsupported(
      unet.file,
      `in_channels is ${inChannels}: an inpainting model; tintype supports ${latentChannels}.`,
    )
  }
  if (inChannels !== latentChannels || outChannels !== latentChannels) {
    const channels = `in_channels and out_channels are ${inChannels} and ${outChannels}`
    throw unsupported(
      unet.file,
      `${channels}; tintype supports the VAE's latent_channels, ${latentChannels}, for both.`,
    )
  }
  if (crossAttentionDim !== textEncoder.config.hiddenSize) {
    throw invalid(
      unet.file,
      `cross_attention_dim is ${crossAttentionDim}, but ${textEncoder.file} has hidden_size ${textEncoder.config.hiddenSize}.`,
    )
  }
  return { index, textEncoder: textEncoder.config, unet: unet.config, vae: vae.config }
}
