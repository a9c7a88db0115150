// Whole plans on the interpreted GPU: the executor and the kernels of the CUDA backend paint with the default model, and
// agree with the CPU within what half precision rounds.

import { it as check, describe, expect, inject } from 'vitest'
import { defaultModelFolder, type GenerateOptions, type LoadOptions, load } from '../../lib/index.ts'
import { openGolden } from '../golden/pipelines.ts'
import { architectures, elementTypes } from './build.ts'
import { addGpu } from './player.ts'

const missing = inject('ptxMissing')
const it = check.skipIf(missing)
const on = (architecture = 80) => ({ device: `cuda:${addGpu({ architecture })}` }) as const

const options: GenerateOptions = { prompt: 'red apple', seed: 1, steps: 3, width: 64, height: 64 }

interface Painted {
  readonly latents: Float32Array
  readonly pixels: Uint8Array
}

async function paint(
  where: LoadOptions,
  more: Partial<GenerateOptions> = {},
  folder = defaultModelFolder,
): Promise<Painted> {
  await using pipeline = await load(folder, where)
  const { latents, images } = await pipeline.generate({ ...options, ...more })
  return { latents, pixels: images[0]?.data ?? new Uint8Array() }
}

const relativeError = (x: Float32Array, truth: Float32Array) => {
  const square = (f: (i: number) => number) => truth.reduce((sum, _, i) => sum + f(i) ** 2, 0)
  return Math.sqrt(square((i) => x[i]! - truth[i]!) / square((i) => truth[i]!))
}
const meanDifference = (x: Uint8Array, truth: Uint8Array) =>
  x.reduce((sum, value, i) => sum + Math.abs(value - truth[i]!), 0) / x.length

describe('a generation on the interpreted GPU', () => {
  // Half of the last place of an fp16 number is 2^-12 of it, of a bf16 number 2^-9; three steps of some 200 ops, whose errors add
  // up like the steps of a drunkard: 25 times as much, less what uniform errors are smaller than their bound.
  const gpus = [
    [80, 'f16', 4e-3],
    [80, 'bf16', 3e-2],
    [75, 'f16', 4e-3],
    [90, 'f16', 4e-3],
    [120, 'bf16', 3e-2],
    // Sums lose 0.91 of half of the last place of an fp16 number where storing them loses 0.58 (lib/selftest/fast-sums.ts): 1.9
    // times as much in all.
    [80, 'fast', 7.5e-3],
    [75, 'fast', 7.5e-3],
    [89, 'fast', 7.5e-3],
  ] as const
  const built = gpus.filter(
    ([architecture, precision]) => architectures.includes(architecture) && elementTypes.includes(precision),
  )
  it.each(built)('agrees with the CPU on sm_%i in %s', async (architecture, precision, limit) => {
    const truth = await paint({ exact: true })
    const painted = await paint({ ...on(architecture), precision })
    const error = relativeError(painted.latents, truth.latents)
    expect(error).toBeLessThan(limit)
    expect(error).toBeGreaterThan(0)
    const most = { f16: 0.1, fast: 0.19, bf16: 0.8 }[precision]
    expect(meanDifference(painted.pixels, truth.pixels)).toBeLessThan(most)
  })

  check.skipIf(missing || !architectures.includes(80))(
    'agrees with the CPU where many processors share sums',
    async () => {
      const more = { steps: 1, output: 'latents' } as const
      const device = `cuda:${addGpu({ architecture: 80, processors: 108 })}` as const
      const [truth, painted] = [await paint({ exact: true }, more), await paint({ device }, more)]
      expect(relativeError(painted.latents, truth.latents)).toBeLessThan(5e-3)
    },
  )

  check.skipIf(missing || !elementTypes.includes('fast'))('is another one in fast than in f16', async () => {
    const more = { steps: 1, output: 'latents' } as const
    const [fast, f16] = [await paint({ ...on(), precision: 'fast' }, more), await paint(on(), more)]
    const error = relativeError(fast.latents, f16.latents)
    expect(error).toBeGreaterThan(0)
    expect(error).toBeLessThan(5e-3)
  })

  // All heads causal attention, layers and blocks that the default model lacks: tiny, but of every kind.
  it.each(['one-layer', 'sd2'])('of the tiny pipeline %s agrees with the CPU', async (name) => {
    const { folder } = openGolden(name)
    const more = { guidanceScale: 3, steps: 2 }
    const truth = await paint({ exact: true }, more, folder)
    const painted = await paint(on(), more, folder)
    expect(relativeError(painted.latents, truth.latents)).toBeLessThan(1e-2)
  })

  it('is the same with an allocation for each value as in the arena', async () => {
    const inArena = await paint(on())
    process.env.TINTYPE_CUDA_SEPARATE_VALUES = '1'
    try {
      expect(await paint(on())).toEqual(inArena)
    } finally {
      delete process.env.TINTYPE_CUDA_SEPARATE_VALUES
    }
  })

  it('predicts the halves of guidance in turns, with features for several steps', async () => {
    const more = { sequentialGuidance: true, cacheInterval: 2 }
    const truth = await paint({ exact: true }, more)
    const painted = await paint(on(), more)
    expect(relativeError(painted.latents, truth.latents)).toBeLessThan(4e-3)
  })

  // The encoder shrinks maps of 64 channels, which are boxes on Hopper, with pads on two sides.
  it.each([80, 90].filter((one) => architectures.includes(one)))(
    'starts from a picture on sm_%i',
    async (architecture) => {
      const data = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7) % 256)
      const more = { init: { data, width: 64, height: 64 }, strength: 0.7 }
      const truth = await paint({ exact: true }, more)
      const painted = await paint(on(architecture), more)
      expect(relativeError(painted.latents, truth.latents)).toBeLessThan(4e-3)
    },
  )
})
