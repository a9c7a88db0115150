// Precision int8 from end to end: the pictures of a model whose matrices were rounded beforehand.

import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { load, type Pipeline, readPngText } from '../../lib/index.ts'
import { openGolden } from '../golden/pipelines.ts'
import { type GoldenTensor, readTensors, relativeError } from '../golden/tensors.ts'
import { throughInt8 } from '../kernels/through-int8.ts'

const options = {
  prompt: 'a red apple',
  negativePrompt: 'blue',
  seed: 5,
  steps: 4,
  width: 64,
  height: 48,
} as const
const init = {
  ...{ width: 64, height: 48 },
  data: Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * 7) % 256),
}

/** Tables of embeddings are no matrices: their rows are looked up. */
const isMatrix = (name: string, shape: readonly number[]) =>
  shape.length > 1 && !/(token|position)_embedding\.weight$/.test(name)

function writeTensors(
  path: string,
  tensors: readonly (readonly [string, readonly number[], Float32Array])[],
) {
  const header: Record<string, object> = {}
  let end = 0
  for (const [name, shape, { byteLength }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + byteLength] }
    end += byteLength
  }
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  writeFileSync(path, Buffer.concat([length, text, ...tensors.map(([, , data]) => Buffer.from(data.buffer))]))
}

/** A copy of a model with every matrix rounded as int8 rounds it, stored in float32. */
function roundedCopy(model: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'tintype-int8-'))
  cpSync(model, copy, { recursive: true })
  for (const part of ['text_encoder', 'unet', 'vae']) {
    for (const file of readdirSync(join(copy, part)).filter((name) => name.endsWith('.safetensors'))) {
      const path = join(copy, part, file)
      const floats = [...readTensors(path)].flatMap(([name, { shape, data }]: [string, GoldenTensor]) => {
        if (!(data instanceof Float32Array)) return []
        const rounded = isMatrix(name, shape) ? Float32Array.from(throughInt8(data, shape[0]!)) : data.slice()
        return [[name, shape, rounded] as const]
      })
      rmSync(path)
      writeTensors(path, floats)
    }
  }
  return copy
}

describe.each(['sd1', 'sd2', 'odd'])('precision int8 of %s', (name) => {
  const { folder } = openGolden(name)
  let copy: string
  let int8: Pipeline
  beforeAll(async () => {
    copy = roundedCopy(folder)
    int8 = await load(folder, { precision: 'int8' })
  })
  afterAll(async () => {
    await int8.dispose()
    rmSync(copy, { recursive: true })
  })

  it('paints what the model paints whose matrices were rounded, and not what it paints as stored', async () => {
    await using rounded = await load(copy)
    await using stored = await load(folder)
    for (const more of [{}, { init, strength: 0.6 }]) {
      const { latents, images } = await int8.generate({ ...options, ...more })
      const expected = await rounded.generate({ ...options, ...more })
      // Sums of integers, scaled once, against sums of rounded products, through four steps of guidance.
      expect(relativeError(latents, expected.latents)).toBeLessThan(2e-5)
      const differences = images[0]!.data.map((byte, i) => Math.abs(byte - expected.images[0]!.data[i]!))
      expect(Math.max(...differences)).toBeLessThanOrEqual(1)
      const other = (await stored.generate({ ...options, ...more })).latents
      expect(relativeError(latents, other)).toBeGreaterThan(1e-3)
    }
  })

  it('gives the same bytes whatever the number of threads', async () => {
    const { latents, images } = await int8.generate(options)
    for (const threads of [1, 3]) {
      await using other = await load(folder, { precision: 'int8', threads })
      const again = await other.generate(options)
      expect(again.latents).toEqual(latents)
      expect(again.images[0]!.data).toEqual(images[0]!.data)
    }
  })
})

describe('precision int8', () => {
  const { folder } = openGolden('sd1')

  it('is for the CPU: auto takes that and says why, GPUs are refused', async () => {
    await using pipeline = await load(folder, { device: 'auto', precision: 'int8' })
    expect(pipeline.info.devices).toEqual([{ name: 'cpu', description: undefined }])
    expect(pipeline.info.deviceNote).toBe('Precision "int8" is for the CPU.')
    for (const device of ['cuda', ['cuda:0', 'cuda:1']] as const) {
      await expect(load(folder, { device, precision: 'int8' })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/^precision: "int8" is for the CPU, not for cuda/),
      })
    }
  })

  it('is told in the picture', async () => {
    const settingOf = async (precision: 'int8' | undefined) => {
      await using pipeline = await load(folder, { precision })
      const { images } = await pipeline.generate({ ...options, steps: 1 })
      return readPngText(await images[0]!.toBuffer()).get('parameters')
    }
    expect(await settingOf('int8')).toContain('Precision: int8')
    expect(await settingOf(undefined)).not.toContain('Precision')
  })
})
