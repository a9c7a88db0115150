// The embedded model against diffusers running the same files: text, every step, pixels and back.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultModelFolder } from '../../lib/pipelines/default-model.ts'
import { denoise } from '../../lib/pipelines/denoise.ts'
import { toChannelsFirst, toChannelsLast } from '../../lib/pipelines/layout.ts'
import { type Model, openModel } from '../../lib/pipelines/model.ts'
import { load, type Pipeline } from '../../lib/pipelines/pipeline.ts'
import { buildTrajectory } from '../../lib/schedulers/trajectory.ts'
import { readSafetensorsHeader } from '../../lib/weights/safetensors.ts'
import { type GoldenTensor, readTensors, relativeError } from '../golden/tensors.ts'

const folder = new URL('../golden/default-model/', import.meta.url)
const facts = JSON.parse(readFileSync(new URL('golden.json', folder), 'utf8'))
const tensors = readTensors(new URL('golden.safetensors', folder))
const { prompt, negativePrompt, steps, guidanceScale, seed } = facts
const shape = { n: 1, c: 4, h: 16, w: 16 }

/** diffusers' own fp32 is about 1e-6 from float64 (golden.json); ten guided steps may add up to a hundred times that. */
const latentsTolerance = 1e-4
/** One pass through a text encoder or an autoencoder: about ten times the floor. */
const passTolerance = 1e-5

function golden(name: string): GoldenTensor {
  const found = tensors.get(name)
  if (!found) throw new Error(`There is no golden tensor ${name}`)
  return found
}

/** Files of the model that are not those the golden tensors were made with. */
function changedFiles(): string[] {
  const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')
  return Object.entries<string>(facts.sha256)
    .filter(([name, digest]) => {
      const path = join(defaultModelFolder, name)
      return !existsSync(path) || sha256(path) !== digest
    })
    .map(([name]) => name)
}

describe('the default model', () => {
  let pipeline: Pipeline
  let model: Model
  beforeAll(async () => {
    pipeline = await load(defaultModelFolder)
    model = await openModel(defaultModelFolder, {})
  })
  afterAll(async () => {
    await pipeline?.dispose()
    for (const part of model ? [model.textEncoder, model.unet, model.vae] : []) part.dispose()
  })

  it('knows the tokens whose embeddings are not 0, and says which words it does not know', async () => {
    const file = join(defaultModelFolder, 'text_encoder/model.safetensors')
    const { tensors: stored } = await readSafetensorsHeader(file)
    const table = stored.get('text_model.embeddings.token_embedding.weight')!
    const [rows, width] = [table.shape[0]!, 2 * table.shape[1]!]
    const bytes = readFileSync(file).subarray(table.offset, table.offset + table.bytes)
    const trained = Array.from({ length: rows }, (_, id) => id).filter((id) =>
      bytes.subarray(id * width, (id + 1) * width).some((byte) => byte !== 0),
    )
    expect([...model.knownTokens!], 'knownTokens of models/default/tintype.json').toEqual(trained)

    const paint = (prompt: string) => pipeline.generate({ prompt, steps: 1, seed: 1, output: 'latents' })
    const { warnings } = await paint("A lighthouse and a cat's house, three LIGHTHOUSES at dusk")
    expect(warnings).toEqual(['The model "default" was never shown: lighthouse, three, lighthouses.'])
    expect((await paint('red apple')).warnings).toEqual([])
  })

  it('has the files that the golden tensors were made with', () => {
    const advice = 'regenerate with: python test/golden/default-model/make-golden.py'
    expect(changedFiles(), `models/default has changed; ${advice}`).toEqual([])
  })

  it.each([
    ['text', prompt],
    ['text.negative', negativePrompt],
  ])('%s: ids and embeddings', async (name, text) => {
    expect([...pipeline.tokenize(text)]).toEqual([...golden(`${name}.input_ids`).data])
    const error = relativeError(await pipeline.encodePrompt(text), golden(`${name}.embeddings`).data)
    expect(error).toBeLessThan(passTolerance)
  })

  it('gives the latents of every step', async () => {
    const trajectory = buildTrajectory({ config: model.scheduler, steps })
    const noise = golden('noise').data
    const latents = toChannelsLast(noise, shape).map((value) => value * trajectory.initial.noise)
    const loop = denoise({
      model,
      trajectory,
      latents,
      shape,
      prompts: [await pipeline.encodePrompt(prompt)],
      negatives: [await pipeline.encodePrompt(negativePrompt)],
      guidanceScale,
      sequentialGuidance: false,
      kinds: trajectory.rows.map(() => ({ guided: true })),
      threshold: undefined,
      drawNoise: () => {
        throw new Error('this sampler draws nothing')
      },
      wantClean: false,
    })
    const size = noise.length
    let done = 0
    for await (const { index } of loop) {
      const expected = golden('steps').data.subarray(index * size, (index + 1) * size)
      const error = relativeError(toChannelsFirst(latents, shape), expected)
      expect(error, `after step ${index + 1}`).toBeLessThan(latentsTolerance)
      done++
    }
    expect(done).toBe(golden('steps').shape[0])
  })

  it('gives the picture of the seed', async () => {
    const { images, latents } = await pipeline.generate({
      prompt,
      negativePrompt,
      steps,
      guidanceScale,
      seed,
    })
    expect(relativeError(latents, golden('latents').data)).toBeLessThan(latentsTolerance)
    // rounding to bytes may go the other way where a value lies between two
    const expected = golden('pixels').data
    const differences = Array.from(images[0]!.data, (value, i) => Math.abs(value - expected[i]!))
    expect(differences).toHaveLength(expected.length)
    expect(differences.reduce((most, value) => Math.max(most, value), 0)).toBeLessThanOrEqual(1)
    expect(differences.filter((value) => value > 0).length / expected.length).toBeLessThan(1e-3)
  })

  it('encodes the picture', async () => {
    const {
      data,
      shape: [height, width],
    } = golden('pixels') as GoldenTensor & { shape: readonly [number, number] }
    const encoded = await pipeline.encodeImage({ data: data as Uint8Array, width, height, channels: 3 })
    expect(relativeError(encoded.data, golden('encoded').data)).toBeLessThan(passTolerance)
  })
})
