// Quality for speed, where it is asked for: guidance in a part of the run, and the UNet's features for several steps.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { elements } from '../../lib/graph/graph.ts'
import { stepCoefficients } from '../../lib/graph/ops/scheduler-step.ts'
import { type GenerateOptions, load, type Pipeline, readPngText } from '../../lib/index.ts'
import { openModel } from '../../lib/pipelines/model.ts'
import { featuresOf, stepGraph } from '../../lib/pipelines/stages.ts'
import { noise } from '../../lib/selftest/op-case.ts'
import { openGolden } from '../golden/pipelines.ts'

const { folder } = openGolden('sd1')
const options = { prompt: 'a red apple', seed: 5, steps: 4, width: 64, height: 48 } as const

let pipeline: Pipeline
beforeAll(async () => {
  pipeline = await load(folder)
})
afterAll(() => pipeline.dispose())

/** What the model takes the picture to be after each step. */
async function previews(given: Partial<GenerateOptions>): Promise<string[]> {
  const seen: string[] = []
  for await (const event of pipeline.stream({ ...options, ...given, previewEvery: 1 })) {
    if (event.type === 'step') seen.push(event.preview![0]!.data.join())
  }
  return seen
}

describe('guidanceInterval', () => {
  it('guides the steps inside, and no others', async () => {
    const [guided, free] = [await previews({}), await previews({ guidanceScale: 1 })]
    const first = await previews({ guidanceInterval: [0, 0.5] })
    expect(first.slice(0, 2)).toEqual(guided.slice(0, 2))
    expect(first[2]).not.toBe(guided[2])
    const last = await previews({ guidanceInterval: [0.5, 1] })
    expect(last.slice(0, 2)).toEqual(free.slice(0, 2))
    expect(last[2]).not.toBe(free[2])
    expect(await previews({ guidanceInterval: [0, 1] })).toEqual(guided)
  })

  it('warns where no step lies inside', async () => {
    const { warnings } = await pipeline.generate({ ...options, guidanceInterval: [0.3, 0.4] })
    expect(warnings).toEqual([expect.stringMatching(/^None of the 4 steps lies in guidanceInterval/)])
    expect((await pipeline.generate({ ...options, guidanceInterval: [0.2, 0.3] })).warnings).toEqual([])
  })

  it('is in the parameters of the picture', async () => {
    const { images } = await pipeline.generate({ ...options, guidanceInterval: [0.25, 1], cacheInterval: 2 })
    const text = readPngText(await images[0]!.toBuffer()).get('parameters')
    expect(text).toContain('Guidance interval: 0.25-1, Cache interval: 2')
  })
})

describe('cacheInterval', () => {
  it('gives the step that the whole UNet gives where the features are those of the same step', async () => {
    const model = await openModel(folder, {})
    try {
      const { crossAttentionDim, inChannels } = model.configs.unet
      const size = { n: 1, h: 6, w: 8 }
      const shape = {
        ...{ ...size, guided: true, stochastic: false, historyLength: 0 },
        ...{ threshold: undefined, wantClean: false },
      }
      const kept = stepGraph(model.configs, { ...shape, features: 'keep' })
      const { value } = kept.outputs.find(({ name }) => name === featuresOf())!
      const between = new Float32Array(elements(kept.values[value]!.shape))
      const inputs = {
        latents: noise(size.h * size.w * inChannels, 3),
        timestep: Float32Array.of(500),
        inputScale: Float32Array.of(1),
        coefficients: noise(stepCoefficients.length, 4),
        context: noise(2 * model.configs.textEncoder.maxPositions * crossAttentionDim, 5),
      }
      const whole = new Float32Array(inputs.latents.length)
      await model.unet.run({
        ...{ key: 'keep', graph: () => kept, inputs },
        outputs: { latents: whole, [featuresOf()]: between },
      })
      const again = new Float32Array(whole.length)
      await model.unet.run({
        key: 'reuse',
        graph: () => stepGraph(model.configs, { ...shape, features: 'reuse' }),
        inputs: { ...inputs, [featuresOf()]: between },
        outputs: { latents: again },
      })
      expect(whole.every(Number.isFinite)).toBe(true)
      expect(new Set(between).size).toBeGreaterThan(between.length / 2)
      expect(again).toEqual(whole)
    } finally {
      for (const part of [model.textEncoder, model.unet, model.vae]) part.dispose()
    }
  })

  it('computes the first of so many steps wholly', async () => {
    const [all, cached] = [await previews({}), await previews({ cacheInterval: 2 })]
    expect(cached[0]).toBe(all[0])
    expect(cached[1]).not.toBe(all[1])
    expect(await previews({ cacheInterval: 1 })).toEqual(all)
  })

  it.each(['ddim', 'euler', 'euler-ancestral', 'dpmpp-2m'])(
    'goes with %s and a part of guidance',
    async (scheduler) => {
      const given = {
        ...options,
        scheduler,
        steps: 7,
        cacheInterval: 2,
        guidanceInterval: [0.2, 0.6],
      } as const
      const { latents } = await pipeline.generate({ ...given, prompt: ['a', 'b'] })
      expect(latents.every(Number.isFinite)).toBe(true)
      expect((await pipeline.generate({ ...given, prompt: ['a', 'b'] })).latents).toEqual(latents)
    },
  )
})
