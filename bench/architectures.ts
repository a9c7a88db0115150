// The full-size models that are measured with random weights: the configuration files that their graphs are built from.

import { sd15, sd21 } from '../test/unit/models/published-configs.ts'

/**
 * UNet and autoencoder of SDXL's shapes. Left out are its embeddings of picture sizes and pooled text, which add one vector
 * to that of the time; one text encoder of two layers has the width of its two together.
 */
const sdxlShapes = {
  text: {
    ...sd15.text,
    ...{ hidden_size: 2048, intermediate_size: 8192, num_attention_heads: 32, num_hidden_layers: 2 },
  },
  unet: {
    ...sd21.unet,
    attention_head_dim: [5, 10, 20],
    block_out_channels: [320, 640, 1280],
    cross_attention_dim: 2048,
    down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
    sample_size: 128,
    transformer_layers_per_block: [1, 2, 10],
    up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
  },
  vae: { ...sd15.vae, sample_size: 1024 },
}

export const architectures = {
  sd15: { title: 'SD 1.5', ...sd15 },
  sd21: { title: 'SD 2.1', ...sd21 },
  sdxl: { title: "SDXL's shapes", ...sdxlShapes },
} as const

export type Architecture = keyof typeof architectures
export const architectureNames = Object.keys(architectures) as Architecture[]
