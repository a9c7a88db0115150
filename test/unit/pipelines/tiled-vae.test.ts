// What the decision comes to for the autoencoder of Stable Diffusion, by the memory that the planner finds.

import { describe, expect, it } from 'vitest'
import type { Graph } from '../../../lib/graph/graph.ts'
import { makePlan } from '../../../lib/graph/plan.ts'
import { parseTextEncoderConfig, parseUnetConfig, parseVaeConfig } from '../../../lib/models/configs.ts'
import { decodeTiling, encodeTiling } from '../../../lib/pipelines/tiled-vae.ts'
import { sd15 } from '../models/published-configs.ts'

const model = {
  configs: {
    index: { className: 'StableDiffusionPipeline', scheduler: 'DDIMScheduler', safetyChecker: false },
    textEncoder: parseTextEncoderConfig(sd15.text, 'text'),
    unet: parseUnetConfig(sd15.unet, 'unet'),
    vae: parseVaeConfig(sd15.vae, 'vae'),
  },
  vae: { arenaBytes: (graph: Graph) => makePlan(graph, () => 0).arenaBytes },
  vaeTiling: 'auto',
} as const

const plane = (width: number, height: number) => ({ w: width / 8, h: height / 8 })

describe('tiling of Stable Diffusion', () => {
  it.each([
    [512, 512, undefined],
    [768, 768, undefined],
    [1024, 512, undefined],
    [1024, 768, { level: 2, count: 2 }],
    [1024, 1024, { level: 2, count: 2 }],
    [1536, 1536, { level: 1, count: 6 }],
    [2048, 2048, { level: 0, count: 11 }],
  ])('decodes %ix%i as %o', (width, height, tiling) => {
    expect(decodeTiling(model, plane(width, height))).toEqual(tiling)
  })

  it.each([
    [512, 512, undefined],
    [1024, 1024, undefined],
    [1536, 1536, { level: 1, count: 2 }],
    [2048, 2048, { level: 1, count: 4 }],
  ])('encodes %ix%i as %o', (width, height, tiling) => {
    expect(encodeTiling(model, plane(width, height))).toEqual(tiling)
  })
})
