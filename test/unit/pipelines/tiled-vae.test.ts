// What the decision comes to for the autoencoder of Stable Diffusion, by the memory that the planner finds.

import { describe, expect, it } from 'vitest'
import type { Graph } from '../../../lib/graph/graph.ts'
import { makePlan } from '../../../lib/graph/plan.ts'
import { parseTextEncoderConfig, parseUnetConfig, parseVaeConfig } from '../../../lib/models/configs.ts'
import { memoryBudget, type Tiling } from '../../../lib/pipelines/choose-tiling.ts'
import { decodeHeadGraph } from '../../../lib/pipelines/stages.ts'
import { decodeTiling, encodeTiling } from '../../../lib/pipelines/tiled-vae.ts'
import { sd15 } from '../models/published-configs.ts'

const modelOf = (isOnGpu: boolean) =>
  ({
    configs: {
      index: { className: 'StableDiffusionPipeline', scheduler: 'DDIMScheduler', safetyChecker: false },
      textEncoder: parseTextEncoderConfig(sd15.text, 'text'),
      unet: parseUnetConfig(sd15.unet, 'unet'),
      vae: parseVaeConfig(sd15.vae, 'vae'),
    },
    vae: { arenaBytes: (graph: Graph) => makePlan(graph, () => 0).arenaBytes, isOnGpu },
    vaeTiling: 'auto',
  }) as const
const [onCpu, onGpu] = [modelOf(false), modelOf(true)]

const plane = (width: number, height: number) => ({ w: width / 8, h: height / 8 })

/** Level, strips and stops with whole maps. */
const inBrief = (tiling: Tiling | undefined) =>
  tiling && [
    tiling.level,
    tiling.plan.strips.list.length,
    tiling.plan.sections.map(({ to }) => to).slice(0, -1),
  ]

const stops = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

describe('tiling of Stable Diffusion', () => {
  it.each([
    [512, 512, undefined],
    [768, 768, undefined],
    [1024, 512, undefined],
    [1024, 768, [2, 2, stops(7)]],
    [1024, 1024, [2, 4, stops(7)]],
    // Of the last level, what residual blocks give.
    [1152, 1152, [1, 8, [...stops(6), 9, 11, 13]]],
    // Not even that.
    [1536, 1536, [1, 6, []]],
    [2048, 2048, [0, 12, []]],
  ])('decodes %ix%i as %o', (width, height, tiling) => {
    expect(inBrief(decodeTiling(onCpu, plane(width, height)))).toEqual(tiling)
  })

  it.each([
    [512, 512, undefined],
    [1024, 1024, undefined],
    [1536, 1536, [2, 4, [5, 7, 9, 10, 11, 12]]],
    [2048, 2048, [1, 4, []]],
  ])('encodes %ix%i as %o', (width, height, tiling) => {
    expect(inBrief(encodeTiling(onCpu, plane(width, height)))).toEqual(tiling)
  })

  it('takes for 1024x1024 about the memory of what is decoded in one piece', () => {
    const { level, plan } = decodeTiling(onCpu, plane(1024, 1024))!
    const head = onCpu.vae.arenaBytes(decodeHeadGraph(onCpu.configs, plane(1024, 1024), level))
    const features = 4 * 512 * 512 * 256
    expect(4 * plan.elements).toBeLessThan(1.02 * (head + features))
    expect(4 * plan.elements).toBeLessThan(memoryBudget)
  })

  it.each([
    [1024, 1024, [2, 2, []]],
    [2048, 2048, [0, 12, []]],
  ])('keeps no maps away from a GPU: %ix%i as %o', (width, height, tiling) => {
    expect(inBrief(decodeTiling(onGpu, plane(width, height)))).toEqual(tiling)
  })
})
