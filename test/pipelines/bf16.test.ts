// Precision bf16 on the CPU from end to end: pictures close to those of float32, and what is said where it is not to be had.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { defaultModelFolder, devices, load, readPngText } from '../../lib/index.ts'
import { openGolden } from '../golden/pipelines.ts'
import { relativeError } from '../golden/tensors.ts'

const [cpu] = devices()
const hasBf16 = cpu!.bf16
if (!hasBf16) console.warn('precision bf16 is not tested: this machine lacks AVX512-BF16')

const options = {
  ...{ prompt: 'a red apple', negativePrompt: 'blue', seed: 5, steps: 4 },
  ...{ width: 64, height: 48 },
} as const

describe.runIf(hasBf16)('precision bf16', () => {
  it.each(['sd1', 'sd2', 'odd'])('rounds what %s multiplies, and little else', async (name) => {
    const { folder } = openGolden(name)
    await using stored = await load(folder)
    await using bf16 = await load(folder, { precision: 'bf16' })
    const expected = await stored.generate(options)
    const { latents } = await bf16.generate(options)
    // A rounding is 2^-9 of a factor at most; measured: 5e-3 to 8e-3.
    const error = relativeError(latents, expected.latents)
    expect(error).toBeGreaterThan(1e-4)
    expect(error).toBeLessThan(2e-2)
  })

  it('paints the picture of the embedded model', async () => {
    await using stored = await load(defaultModelFolder)
    await using bf16 = await load(defaultModelFolder, { precision: 'bf16' })
    const request = { prompt: 'red apple', seed: 1, steps: 20 }
    const [expected, { images }] = [await stored.generate(request), await bf16.generate(request)]
    const bytes = expected.images[0]!.data
    const squares = images[0]!.data.reduce((sum, byte, i) => sum + (byte - bytes[i]!) ** 2, 0)
    const rms = Math.sqrt(squares / bytes.length)
    // Measured: 0.4 to 0.6 for three prompts. Weights in int8, which are coarser, make 1.1 to 1.7.
    expect(rms).toBeGreaterThan(0.1)
    expect(rms).toBeLessThan(1)
  })

  it('gives the same bytes whatever the number of threads', async () => {
    const { folder } = openGolden('sd1')
    const [first, ...others] = await Promise.all(
      [1, 2, 3].map(async (threads) => {
        await using pipeline = await load(folder, { precision: 'bf16', threads })
        return (await pipeline.generate(options)).latents
      }),
    )
    for (const other of others) expect(other).toEqual(first)
  })

  it('is told in the picture, and taken by auto where there is no GPU', async () => {
    await using pipeline = await load(openGolden('sd1').folder, { device: 'auto', precision: 'bf16' })
    if (pipeline.info.devices[0]!.name !== 'cpu') return
    const { images } = await pipeline.generate({ ...options, steps: 1 })
    expect(readPngText(await images[0]!.toBuffer()).get('parameters')).toContain('Precision: bf16')
  })
})

describe('precision bf16 where the CPU does not multiply in it', () => {
  const index = new URL('../../lib/index.ts', import.meta.url).href
  const script = (body: string) =>
    `import { defaultModelFolder, load } from ${JSON.stringify(index)}; ${body}`
  const run = async (body: string) => {
    const args = ['--import', 'tsx', '--input-type=module', '-e', script(body)]
    // The last one is plain, and no GPU is to be found.
    const env = { ...process.env, TINTYPE_ISA: cpu!.isas.at(-1), CUDA_VISIBLE_DEVICES: '' }
    return (await promisify(execFile)(process.execPath, args, { env })).stdout
  }

  it('is refused by name', async () => {
    const said = await run(
      `await load(defaultModelFolder, { precision: 'bf16' }).catch(({ code, message }) => console.log(code, message))`,
    )
    expect(said).toMatch(
      /^DEVICE_UNAVAILABLE The kernels in use \(.+\) do not multiply in bf16\. That takes AVX512-BF16/,
    )
  })

  it('is float32 where auto finds no GPU, which the picture does not tell otherwise', async () => {
    const said = await run(
      `const pipeline = await load(defaultModelFolder, { device: 'auto', precision: 'bf16' });
       const { images } = await pipeline.generate({ prompt: 'red apple', steps: 1 });
       console.log(pipeline.info.devices[0].name, images[0].parameters.precision, pipeline.info.deviceNote);
       await pipeline.dispose()`,
    )
    expect(said).toMatch(
      /^cpu undefined .*: the CPU computes in float32, for it does not multiply in bf16\.$/m,
    )
  })
})
