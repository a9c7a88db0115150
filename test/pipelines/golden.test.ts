// Whole runs against diffusers: the same seed gives the same latents.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { load, type Pipeline } from '../../lib/pipelines/pipeline.ts'
import { goldenNames, openGolden } from '../golden/pipelines.ts'
import { relativeError } from '../golden/tensors.ts'

/** Relative L2 of the latents of a whole run, with the fast algorithms off and on. */
const runs = goldenNames.flatMap((name) => [
  { name, mode: 'exact', exact: true, tolerance: 1e-4 },
  { name, mode: 'fast', exact: false, tolerance: 5e-4 },
])

describe.each(runs)('$name, $mode', ({ name, exact, tolerance }) => {
  const golden = openGolden(name)
  const { prompts, negativePrompt, seed, steps, guidanceScale, eta, width, height, strength, threshold } =
    golden.settings
  const options = {
    ...{ prompt: prompts, negativePrompt, seed, steps, guidanceScale, eta, width, height },
    output: 'latents',
  } as const
  let pipeline: Pipeline
  beforeAll(async () => {
    pipeline = await load(golden.folder, { exact })
  })
  afterAll(() => pipeline.dispose())

  it('tokenizes and encodes prompts', async () => {
    const ids = prompts.flatMap((prompt: string) => [...pipeline.tokenize(prompt)])
    expect(ids).toEqual([...golden.tensor('text.input_ids').data])
    const embeddings = await pipeline.encodePrompt(negativePrompt)
    expect(relativeError(embeddings, golden.tensor('text.negative_embeddings').data)).toBeLessThan(1e-5)
  })

  it('text to image', async () => {
    const { latents, latentsShape } = await pipeline.generate(options)
    const expected = golden.tensor('txt2img.latents')
    expect(latentsShape).toEqual(expected.shape)
    expect(relativeError(latents, expected.data)).toBeLessThan(tolerance)
  })

  // With latents given nothing is drawn for the start, so what a stochastic sampler draws later is other noise.
  it.runIf(!golden.has('txt2img.step_noise'))('text to image from given noise', async () => {
    const noise = golden.tensor('txt2img.noise').data as Float32Array
    const { latents } = await pipeline.generate({ ...options, seed: 0, latents: noise })
    expect(relativeError(latents, golden.tensor('txt2img.latents').data)).toBeLessThan(tolerance)
  })

  it.runIf(golden.has('threshold.latents'))('dynamic thresholding', async () => {
    const { latents } = await pipeline.generate({
      ...options,
      threshold: { percentile: threshold.ratio, max: threshold.max },
    })
    expect(relativeError(latents, golden.tensor('threshold.latents').data)).toBeLessThan(tolerance)
  })

  it('image to image', async () => {
    const { data, shape } = golden.tensor('vae.picture')
    const init = { data: data as Uint8Array, height: shape[0]!, width: shape[1]!, channels: 3 as const }
    const { latents } = await pipeline.generate({ ...options, init, strength })
    expect(relativeError(latents, golden.tensor('img2img.latents').data)).toBeLessThan(tolerance)
  })
})
