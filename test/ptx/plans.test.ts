// Whole plans on the interpreted GPU: the executor and the kernels of the CUDA backend paint with the default model, and
// agree with the CPU within what half precision rounds.

import { it as check, describe, expect, inject } from 'vitest'
import { defaultModelFolder, type GenerateOptions, type LoadOptions, load } from '../../lib/index.ts'
import { output } from './build.ts'
import { ptxPath } from './device.ts'

process.env.TINTYPE_CUDA_ADDON = `${output}/interpreted.node`
process.env.TINTYPE_PTX = ptxPath()

const missing = inject('ptxMissing')
const it = check.skipIf(missing)

const options: GenerateOptions = { prompt: 'red apple', seed: 1, steps: 3, width: 64, height: 64 }

interface Painted {
  readonly latents: Float32Array
  readonly pixels: Uint8Array
}

async function paint(where: LoadOptions, more: Partial<GenerateOptions> = {}): Promise<Painted> {
  await using pipeline = await load(defaultModelFolder, where)
  const { latents, images } = await pipeline.generate({ ...options, ...more })
  return { latents, pixels: images[0]!.data }
}

const relativeError = (x: Float32Array, truth: Float32Array) => {
  const square = (f: (i: number) => number) => truth.reduce((sum, _, i) => sum + f(i) ** 2, 0)
  return Math.sqrt(square((i) => x[i]! - truth[i]!) / square((i) => truth[i]!))
}
const meanDifference = (x: Uint8Array, truth: Uint8Array) =>
  x.reduce((sum, value, i) => sum + Math.abs(value - truth[i]!), 0) / x.length

describe('a generation on the interpreted GPU', () => {
  // Half of the last place of an fp16 number is 2^-12 of it, of a bf16 number 2^-9; three steps of some 200 ops.
  it.each([
    ['cuda:0', 'f16', 2e-3],
    ['cuda:0', 'bf16', 2e-2],
    ['cuda:2', 'f16', 2e-3],
    ['cuda:3', 'f16', 2e-3],
    ['cuda:4', 'bf16', 2e-2],
  ] as const)('%s agrees with the CPU in %s', async (device, precision, limit) => {
    const truth = await paint({ exact: true })
    const painted = await paint({ device, precision })
    const error = relativeError(painted.latents, truth.latents)
    expect(error).toBeLessThan(limit)
    expect(error).toBeGreaterThan(0)
    expect(meanDifference(painted.pixels, truth.pixels)).toBeLessThan(precision === 'f16' ? 0.1 : 0.8)
  })

  it('is the same with an allocation for each value as in the arena', async () => {
    const inArena = await paint({ device: 'cuda:0' })
    expect(await paint({ device: 'cuda:1' })).toEqual(inArena)
  })

  it('starts from a picture', async () => {
    const data = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7) % 256)
    const more = { init: { data, width: 64, height: 64 }, strength: 0.7 }
    const truth = await paint({ exact: true }, more)
    const painted = await paint({ device: 'cuda:1' }, more)
    expect(relativeError(painted.latents, truth.latents)).toBeLessThan(4e-3)
  })

  it('ends when it is aborted', async () => {
    await using pipeline = await load(defaultModelFolder, { device: 'cuda' })
    const controller = new AbortController()
    const onProgress = () => controller.abort()
    const run = pipeline.generate({ ...options, signal: controller.signal, onProgress })
    await expect(run).rejects.toMatchObject({ code: 'ABORTED' })
    const { images } = await pipeline.generate({ ...options, steps: 1 })
    expect(images).toHaveLength(1)
  })

  it('needs a GPU that is there', async () => {
    await expect(load(defaultModelFolder, { device: 'cuda:9' })).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringContaining('there are 5 GPUs'),
    })
  })
})
