// Both halves of guidance in turns against both at once: the same picture, in less memory.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Graph } from '../../lib/graph/graph.ts'
import { defaultModelFolder, type GenerateOptions, load, type Pipeline } from '../../lib/index.ts'
import { openModel } from '../../lib/pipelines/model.ts'
import { stepGraph, stepGraphs } from '../../lib/pipelines/stages.ts'
import { goldenNames, openGolden } from '../golden/pipelines.ts'
import { relativeError } from '../golden/tensors.ts'

const options = {
  ...{ prompt: 'a red apple', negativePrompt: 'blue', seed: 5, steps: 4, width: 64, height: 48 },
  output: 'latents',
} as const

async function both(pipeline: Pipeline, more: Partial<GenerateOptions> = {}) {
  const paint = async (sequentialGuidance: boolean) =>
    (await pipeline.generate({ ...options, ...more, sequentialGuidance })).latents
  return { atOnce: await paint(false), inTurns: await paint(true) }
}

const models = [
  ...goldenNames.map((name) => ({ name, folder: openGolden(name).folder })),
  { name: 'the embedded model', folder: defaultModelFolder },
]

describe.each(models)('sequentialGuidance of $name', ({ folder }) => {
  it('gives the same bits where nothing is rounded for speed', async () => {
    await using pipeline = await load(folder, { exact: true })
    const { atOnce, inTurns } = await both(pipeline)
    expect(new Set(atOnce).size).toBeGreaterThan(atOnce.length / 2)
    expect(inTurns).toEqual(atOnce)
  })

  // Twice as many pictures may be worth a Winograd convolution that one is not: it is 1e-6 off, and guidance takes 7.5
  // times the difference of two that are.
  it('differs by rounding where Winograd is chosen for one and not for two', async () => {
    await using pipeline = await load(folder)
    const { atOnce, inTurns } = await both(pipeline)
    expect(relativeError(inTurns, atOnce)).toBeLessThan(2e-5)
  })
})

describe('sequentialGuidance', () => {
  let pipeline: Pipeline
  beforeAll(async () => {
    pipeline = await load(openGolden('sd1').folder, { exact: true })
  })
  afterAll(() => pipeline.dispose())

  const init = { data: Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * 7) % 256) }
  const cases: readonly (readonly [string, Partial<GenerateOptions>])[] = [
    ...['ddim', 'euler', 'euler-ancestral', 'dpmpp-2m'].map(
      (scheduler) => [scheduler, { scheduler }] as const,
    ),
    ['ddim with noise', { scheduler: 'ddim', eta: 1 }],
    ['several pictures', { prompt: ['a', 'b'], negativePrompt: ['c', 'd'], count: 2 }],
    ['guidance in a part of the run', { guidanceInterval: [0.25, 0.75] }],
    ['features for several steps', { cacheInterval: 2, steps: 5 }],
    ['both', { cacheInterval: 2, guidanceInterval: [0.2, 0.8], steps: 7, prompt: ['a', 'b'] }],
    ['a picture to start from', { init: { ...init, width: 64, height: 48 }, strength: 0.6 }],
    ['dynamic thresholding', { threshold: { percentile: 0.9, max: 2 } }],
    ['no guidance', { guidanceScale: 1 }],
  ]
  it.each(cases)('gives the same bits with %s', async (_, more) => {
    const { atOnce, inTurns } = await both(pipeline, more)
    expect(inTurns).toEqual(atOnce)
  })

  it('is computed otherwise, which shows where Winograd is chosen for two pictures and not for one', async () => {
    await using fast = await load(openGolden('sd1').folder)
    const { atOnce, inTurns } = await both(fast)
    expect(inTurns).not.toEqual(atOnce)
  })

  it('gives the same previews', async () => {
    const previews = async (sequentialGuidance: boolean) => {
      const seen: string[] = []
      for await (const event of pipeline.stream({ ...options, sequentialGuidance, previewEvery: 2 }))
        if (event.type === 'step' && event.preview) seen.push(event.preview[0]!.data.join())
      return seen
    }
    const [inTurns, atOnce] = [await previews(true), await previews(false)]
    expect(inTurns).toHaveLength(2)
    expect(inTurns).toEqual(atOnce)
  })

  it('predicts for half as many pictures at a time, in little more than half of the memory', async () => {
    const model = await openModel(defaultModelFolder, {})
    try {
      const step = (guided: boolean, sequentialGuidance: boolean) => ({
        ...{ n: 2, h: 32, w: 32, guided, sequentialGuidance },
        ...{ stochastic: false, historyLength: 1, threshold: undefined, wantClean: false },
      })
      const graphs = {
        atOnce: step(true, false),
        inTurns: step(true, true),
        free: step(false, false),
      }
      const bytes = (name: keyof typeof graphs) =>
        model.unet.arenaBytes(stepGraphs(model.configs, graphs[name]).loop)
      const batches = ({ nodes }: Graph) =>
        new Set(nodes.flatMap(({ op, dims }) => (op === 'conv2d' ? [dims.n] : [])))
      expect(batches(stepGraph(model.configs, graphs.atOnce))).toEqual(new Set([4]))
      expect(batches(stepGraph(model.configs, graphs.inTurns))).toEqual(new Set([2]))
      // What is kept beside one prediction: the other, and the scaled latents.
      const latents = 2 * 32 * 32 * model.configs.unet.inChannels * 4
      expect(bytes('inTurns')).toBeLessThanOrEqual(bytes('free') + 3 * latents)
      expect(bytes('inTurns')).toBeLessThan(0.6 * bytes('atOnce'))
    } finally {
      for (const part of [model.textEncoder, model.unet, model.vae]) part.dispose()
    }
  })
})
