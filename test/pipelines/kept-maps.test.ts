// Strips with whole maps between all norms, some and none, against pictures in one piece, with the tiny models.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cut, keptStops, type Tiling } from '../../lib/pipelines/choose-tiling.ts'
import { type Maps, withMaps } from '../../lib/pipelines/map-memory.ts'
import { type Model, openModel } from '../../lib/pipelines/model.ts'
import { decodeGraph, encodeGraph } from '../../lib/pipelines/stages.ts'
import { decodeInStrips, decoderCut, encodeInStrips, encoderCut } from '../../lib/pipelines/tiled-vae.ts'
import { goldenNames, openGolden } from '../golden/pipelines.ts'
import { relativeError } from '../golden/tensors.ts'

const numbers = (length: number) =>
  Float32Array.from({ length }, (_, i) => 2 * Math.sin(12.9898 * i + 3 * Math.sin(i / 300)))

/** For each set of maps that may be kept a plan of 7, 2 or 3 strips. */
function tilings({ level, strips }: Cut): (Tiling & { readonly kept: readonly number[] })[] {
  const { norms, plan } = strips()
  return keptStops(norms).flatMap((kept, i) => {
    const planned = plan([7, 2, 3][i % 3]!, kept) ?? plan(2, kept)
    return planned ? [{ level, plan: planned.plan, kept }] : []
  })
}

describe.each(goldenNames)('maps that strips of %s keep', (name) => {
  let model: Model
  beforeAll(async () => {
    model = await openModel(openGolden(name).folder, {})
  })
  afterAll(() => {
    for (const part of [model.textEncoder, model.unet, model.vae]) part.dispose()
  })

  /** Tall enough for strips in which every norm is computed anew. */
  const plane = { h: 64, w: 3 }
  const signal = undefined
  const levels = () => model.configs.vae.channels.slice(1).keys()

  it('change nothing in what is decoded but rounding', async () => {
    const { factor, latentChannels } = model.configs.vae
    const latents = numbers(plane.h * plane.w * latentChannels)
    const picture = () => new Uint8Array(plane.h * plane.w * factor * factor * 3)
    const whole = picture()
    await model.vae.run({
      ...{ key: 'decode whole', graph: () => decodeGraph(model.configs, { n: 1, ...plane }) },
      ...{ inputs: { latents }, outputs: { pixels: whole } },
    })
    expect(new Set(whole).size).toBeGreaterThan(50)
    const kept = new Set<string>()
    for (const level of levels()) {
      for (const tiling of tilings(decoderCut(model, plane, level))) {
        const pixels = picture()
        await decodeInStrips(model, { latents, pixels }, { plane, tiling, signal })
        const off = pixels.map((v, i) => Math.abs(v - whole[i]!))
        const what = `level ${level}, ${tiling.plan.strips.list.length} strips, kept ${tiling.kept}`
        expect(Math.max(...off), what).toBeLessThanOrEqual(1)
        // Where a value lies on the border between two bytes, rounding turns it.
        expect(off.filter((v) => v > 0).length, what).toBeLessThan(0.001 * off.length)
        kept.add(`${level}: ${tiling.kept}`)
      }
    }
    // All, some and none, in each level.
    expect(kept.size).toBeGreaterThanOrEqual(3 * [...levels()].length)
  })

  it('change nothing in what is encoded but rounding', async () => {
    const { factor, latentChannels } = model.configs.vae
    const noise = numbers(plane.h * plane.w * latentChannels)
    const pixels = Uint8Array.from(numbers(plane.h * plane.w * factor * factor * 3), (v) => 128 + 60 * v)
    const whole = new Float32Array(noise.length)
    await model.vae.run({
      ...{ key: 'encode whole', graph: () => encodeGraph(model.configs, { n: 1, ...plane }) },
      ...{ inputs: { pixels, noise }, outputs: { latents: whole } },
    })
    const kept = new Set<string>()
    for (const level of levels()) {
      for (const tiling of tilings(encoderCut(model, plane, level))) {
        const latents = new Float32Array(noise.length)
        await encodeInStrips(model, { pixels, noise, latents }, { plane, tiling, signal })
        const what = `level ${level}, ${tiling.plan.strips.list.length} strips, kept ${tiling.kept}`
        expect(relativeError(latents, whole), what).toBeLessThan(1e-5)
        kept.add(`${level}: ${tiling.kept}`)
      }
    }
    expect(kept.size).toBeGreaterThanOrEqual(3 * [...levels()].length)
  })
})

describe('memory for maps', () => {
  const never = new AbortController().signal
  let model: Model
  beforeAll(async () => {
    model = await openModel(openGolden('sd1').folder, {})
  })
  afterAll(() => {
    for (const part of [model.textEncoder, model.unet, model.vae]) part.dispose()
  })

  it("is one picture's at a time, and freed when it ends", async () => {
    const { vae } = model
    let alive = 0
    const lengths = await Promise.all(
      [1000, 2000, 3000].map(async (elements) => {
        let kept: Maps | undefined
        const length = await withMaps(vae, { elements, signal: never }, async (maps) => {
          alive++
          expect(alive).toBe(1)
          await new Promise((resolve) => setTimeout(resolve, 5))
          alive--
          kept = maps
          return maps.length
        })
        expect(kept).toHaveLength(0)
        return length
      }),
    )
    expect(lengths).toEqual([1000, 2000, 3000])
  })

  it('is not waited for by those that are aborted, and goes to the next one after them and after a failure', async () => {
    const { vae } = model
    const controller = new AbortController()
    let end = () => {}
    const first = withMaps(
      vae,
      { elements: 10, signal: never },
      () => new Promise<void>((resolve) => (end = resolve)),
    )
    const second = withMaps(vae, { elements: 10, signal: controller.signal }, async () => 'never')
    const third = withMaps(vae, { elements: 10, signal: never }, async () => {
      throw new Error('broken')
    })
    const fourth = withMaps(vae, { elements: 10, signal: never }, async ({ length }) => length)
    setTimeout(() => controller.abort(), 1)
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' })
    end()
    await first
    await expect(third).rejects.toThrow('broken')
    expect(await fourth).toBe(10)
  })

  it('is asked for before it is touched', () => {
    expect(() => model.vae.requireMemory(2 ** 47)).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }))
  })
})
