// Token merging in whole pipelines: off it is nothing, on it is deterministic and goes with everything else.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { elements } from '../../lib/graph/graph.ts'
import { interpret } from '../../lib/graph/interpret.ts'
import { stepCoefficients } from '../../lib/graph/ops/scheduler-step.ts'
import {
  defaultModelFolder,
  type GenerateOptions,
  type LoadOptions,
  load,
  type Pipeline,
  readPngText,
} from '../../lib/index.ts'
import { type Model, openModel } from '../../lib/pipelines/model.ts'
import { type StepShape, stepGraph } from '../../lib/pipelines/stages.ts'
import { noise } from '../../lib/selftest/op-case.ts'
import { goldenNames, openGolden } from '../golden/pipelines.ts'
import { relativeError } from '../golden/tensors.ts'

const options = {
  ...{ prompt: 'a red apple', negativePrompt: 'blue', seed: 5, steps: 3, width: 64, height: 48 },
  output: 'latents',
} as const

const paint = async (pipeline: Pipeline, more: Partial<GenerateOptions> = {}) =>
  (await pipeline.generate({ ...options, ...more })).latents

/** With a pipeline of its own, so that nothing is left of other options. */
async function paintWith(folder: string, how: LoadOptions, more: Partial<GenerateOptions>) {
  await using pipeline = await load(folder, how)
  return await paint(pipeline, more)
}

const models = [
  ...goldenNames.map((name) => ({ name, folder: openGolden(name).folder })),
  { name: 'the embedded model', folder: defaultModelFolder },
]

describe.each(models)('tokenMerging of $name', ({ folder }) => {
  it('is another picture, the same for any number of threads', async () => {
    await using pipeline = await load(folder)
    const [none, all] = [await paint(pipeline), await paint(pipeline, { tokenMerging: 0 })]
    expect(all).toEqual(none)
    const merged = await paint(pipeline, { tokenMerging: 0.5 })
    expect(merged).not.toEqual(none)
    expect(merged.every(Number.isFinite)).toBe(true)
    for (const threads of [1, 2]) {
      expect(await paintWith(folder, { threads }, { tokenMerging: 0.5 })).toEqual(merged)
    }
  })

  it('goes with features for several steps, also where their last layer has no attention', async () => {
    await using pipeline = await load(folder)
    const cached = await paint(pipeline, { cacheInterval: 2 })
    const merged = await paint(pipeline, { cacheInterval: 2, tokenMerging: 0.5 })
    expect(merged.every(Number.isFinite)).toBe(true)
    expect(merged).not.toEqual(cached)
  })
})

describe('tokenMerging', () => {
  const { folder, weights } = openGolden('sd1')
  let pipeline: Pipeline
  let model: Model
  beforeAll(async () => {
    pipeline = await load(folder, { exact: true })
    model = await openModel(folder, {})
  })
  afterAll(async () => {
    await pipeline.dispose()
    for (const part of [model.textEncoder, model.unet, model.vae]) part.dispose()
  })

  const shape: StepShape = {
    ...{ n: 1, h: 6, w: 8, guided: true, stochastic: false, historyLength: 0 },
    ...{ threshold: undefined, wantClean: false },
  }
  const rowsOfSelfAttention = (more: Partial<StepShape>) =>
    stepGraph(model.configs, { ...shape, ...more }).nodes.flatMap(({ op, dims }) =>
      op === 'attention' && dims.lk !== model.configs.textEncoder.maxPositions ? [dims.lk] : [],
    )

  it('gives the graph without it where nothing is merged', () => {
    const without = stepGraph(model.configs, shape)
    expect(stepGraph(model.configs, { ...shape, tokenMerging: 0 })).toEqual(without)
    expect(stepGraph(model.configs, { ...shape, tokenMerging: undefined })).toEqual(without)
  })

  it('leaves fewer rows to the self-attention of the largest maps, and all to the others', () => {
    const all = rowsOfSelfAttention({})
    const merged = rowsOfSelfAttention({ tokenMerging: 0.5 })
    expect(all.filter((rows) => rows === 48)).toHaveLength(5)
    expect(merged).toEqual(all.map((rows) => (rows === 48 ? 24 : rows)))
    expect(rowsOfSelfAttention({ tokenMerging: 0.75 }).filter((rows) => rows === 12)).toHaveLength(
      5 + all.filter((rows) => rows === 12).length,
    )
    // Of a step that takes features, the last layer is left.
    expect(rowsOfSelfAttention({ tokenMerging: 0.5, features: 'reuse' })).toEqual([24])
  })

  it.each([
    { guided: false },
    { guided: true },
    { guided: true, sequentialGuidance: true },
    { guided: true, h: 5, w: 7 },
  ])('computes what the references compute: %o', async (more) => {
    const own = { ...shape, ...more, tokenMerging: 0.5 }
    const graph = stepGraph(model.configs, own)
    const inputs = Object.fromEntries(
      graph.inputs.map((id, seed) => {
        const { name, shape: sides } = graph.values[id]!
        const count = elements(sides)
        if (name === 'timestep') return [name, Float32Array.of(500)]
        if (name === 'corners') return [name, Int32Array.from({ length: count }, (_, i) => (i * 7) % 4)]
        return [name, noise(name === 'coefficients' ? stepCoefficients.length : count, seed + 3)]
      }),
    )
    const latents = new Float32Array(own.h * own.w * model.configs.unet.inChannels)
    await model.unet.run({ key: JSON.stringify(own), graph: () => graph, inputs, outputs: { latents } })
    const expected = interpret(graph, { inputs, weight: weights('unet') }).latents!
    expect(relativeError(latents, Float32Array.from(expected))).toBeLessThan(1e-5)
  })

  it('goes further from the picture the more is merged', async () => {
    const none = await paint(pipeline)
    const distance = async (tokenMerging: number) =>
      relativeError(await paint(pipeline, { tokenMerging }), none)
    const [some, most] = [await distance(0.1), await distance(0.75)]
    expect(some).toBeGreaterThan(0)
    expect(most).toBeGreaterThan(some)
  })

  const init = { data: Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * 7) % 256) }
  const cases: readonly (readonly [string, Partial<GenerateOptions>])[] = [
    ...['ddim', 'euler', 'euler-ancestral', 'dpmpp-2m'].map(
      (scheduler) => [scheduler, { scheduler }] as const,
    ),
    ['several pictures', { prompt: ['a', 'b'], negativePrompt: ['c', 'd'], count: 2 }],
    ['guidance in a part of the run', { guidanceInterval: [0.25, 0.75], steps: 5 }],
    ['features for several steps', { cacheInterval: 2, steps: 5 }],
    ['a picture to start from', { init: { ...init, width: 64, height: 48 }, strength: 0.6 }],
    ['an odd size', { width: 56, height: 40 }],
    ['no guidance', { guidanceScale: 1 }],
  ]
  it.each(cases)('goes with %s, and gives the same bits with guidance in turns', async (_, more) => {
    const merged = await paint(pipeline, { ...more, tokenMerging: 0.5 })
    expect(merged.every(Number.isFinite)).toBe(true)
    expect(merged).not.toEqual(await paint(pipeline, more))
    expect(await paint(pipeline, { ...more, tokenMerging: 0.5, sequentialGuidance: true })).toEqual(merged)
  })

  it('is in the parameters of the picture', async () => {
    const { images } = await pipeline.generate({ ...options, output: 'pictures', tokenMerging: 0.3 })
    expect(readPngText(await images[0]!.toBuffer()).get('parameters')).toContain('Token merging ratio: 0.3')
    const plain = await pipeline.generate({ ...options, output: 'pictures', tokenMerging: 0 })
    expect(readPngText(await plain.images[0]!.toBuffer()).get('parameters')).not.toContain('Token')
  })
})
