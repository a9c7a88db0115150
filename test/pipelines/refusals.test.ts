// What a pipeline refuses, with a tiny model: folders, options, more pictures than there is memory for.

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { load, type Pipeline } from '../../lib/index.ts'
import { openGolden } from '../golden/pipelines.ts'

const { folder } = openGolden('sd1')
const options = { prompt: 'a red apple', seed: 5, steps: 4, width: 64, height: 48 } as const

let pipeline: Pipeline
beforeAll(async () => {
  pipeline = await load(folder)
})
afterAll(() => pipeline.dispose())

describe('tintype.json', () => {
  it('changes the defaults of its model', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'tintype-defaults-'))
    await cp(folder, copy, { recursive: true })
    await writeFile(join(copy, 'tintype.json'), '{ "guidanceScale": 3 }')
    await using tuned = await load(copy)
    expect(tuned.info.defaults).toMatchObject({ guidanceScale: 3, steps: 20 })
    await writeFile(join(copy, 'tintype.json'), '{ "guidence": 3 }')
    await expect(load(copy)).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('guidence'),
    })
    await rm(copy, { recursive: true })
  })
})

describe('bad folders and options', () => {
  it.each([
    ['', 'INVALID_ARGUMENT'],
    ['no/such/folder', 'MODEL_NOT_FOUND'],
  ])('refuses %o', async (path, code) => {
    await expect(load(path)).rejects.toMatchObject({ code })
  })

  it.each<[unknown, string, RegExp]>([
    [{ precison: 'int8' }, 'UNKNOWN_OPTION', /"precison"\. Did you mean "precision"/],
    [{ exact: 'no' }, 'INVALID_ARGUMENT', /Option exact must be true or false, got 'no'/],
    [{ threads: 0 }, 'INVALID_ARGUMENT', /Option threads must be an integer from 1 to 256, got 0/],
    [{ threads: 'four' }, 'INVALID_ARGUMENT', /Option threads/],
    [{ variant: 16 }, 'INVALID_ARGUMENT', /Option variant must be the name of a variant/],
    [{ vaeTiling: 'on' }, 'INVALID_ARGUMENT', /Option vaeTiling must be "auto", true or false, got 'on'/],
    [{ device: 5 }, 'INVALID_ARGUMENT', /device: expected .*, got 5/],
    [{ device: null }, 'INVALID_ARGUMENT', /device: expected .*, got null/],
    [{ precision: null }, 'INVALID_ARGUMENT', /precision: expected .*, got null/],
    [null, 'INVALID_ARGUMENT', /load\(\) takes an object of options, got null/],
    [5, 'INVALID_ARGUMENT', /load\(\) takes an object of options, got 5/],
  ])('refuses options %o', async (wrong, code, message) => {
    const loading = load(folder, wrong as never)
    await expect(loading).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('refuses an empty folder, and an unknown variant', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'tintype-empty-'))
    await expect(load(empty)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    await rm(empty, { recursive: true })
    await expect(load(folder, { variant: 'fp8' })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
  })

  it.each([8192, 16384])(
    'refuses a thousand pictures of %s squared before anything is computed',
    async (side) => {
      const onProgress = () => expect.unreachable()
      const many = pipeline.generate({ prompt: '', count: 1000, width: side, height: side, onProgress })
      await expect(many).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/prompt, count, width and height ask for 1000 times .* holds 2\^29/),
      })
    },
  )

  // 6 GiB of latents and 24 GiB of pictures.
  it.skipIf(totalmem() > 29 * 2 ** 30)(
    'asks for the memory of all pictures before anything is computed',
    async () => {
      const onProgress = () => expect.unreachable()
      const many = pipeline.generate({ prompt: '', count: 512, width: 4096, height: 4096, onProgress })
      await expect(many).rejects.toMatchObject({
        code: 'OUT_OF_MEMORY',
        message: expect.stringMatching(
          /^Holding 512 times 4096x4096 pixels needs 30.0 GiB of memory, .* available/,
        ),
      })
    },
  )

  it('tells when more memory is wanted than there is, and lives on', async () => {
    // A strip 67 million pixels wide: the decoder would need tens of gigabytes.
    const shape = [1, 4, 1, 2 ** 23] as const
    const huge = pipeline.decodeLatents({ data: new Float32Array(2 ** 25), shape })
    await expect(huge).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringMatching(/needs .* of memory, .* available/),
    })
    await expect(pipeline.generate(options)).resolves.toBeDefined()
  })
})
