// Finding a component's weights: plain, variant, sharded, linked, missing, as pickles, and an index that lies.

import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { readWeightFiles } from '../../../lib/weights/folder.ts'
import { hostileTexts, placeholder, spelled } from '../hostile-values.ts'
import { thrownBy } from '../models/thrown-by.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { writeTensors } from './write-safetensors.ts'

const root = temporaryFolder()
const folder = (...names: string[]) => root('unet', ...names)
const golden = join(import.meta.dirname, '../../golden/pipelines')

beforeEach(async () => {
  await rm(folder(), { recursive: true, force: true })
  await mkdir(folder())
})

const names = async (options?: { variant?: string }) => {
  const { variant, paths } = await readWeightFiles(folder(), options)
  return [variant, ...paths.map((path) => basename(path))]
}

describe('which file', () => {
  const cases: readonly (readonly [files: string[], variant: string | undefined, chosen: string[]])[] = [
    [['diffusion_pytorch_model.safetensors'], undefined, ['', 'diffusion_pytorch_model.safetensors']],
    [['model.safetensors', 'pytorch_model.bin'], undefined, ['', 'model.safetensors']],
    [['model.fp16.safetensors'], undefined, ['fp16', 'model.fp16.safetensors']],
    [['model.fp16.safetensors', 'model.safetensors'], undefined, ['', 'model.safetensors']],
    [['model.fp16.safetensors', 'model.safetensors'], 'fp16', ['fp16', 'model.fp16.safetensors']],
    [['model.non_ema.safetensors', 'model.fp16.safetensors'], undefined, ['fp16', 'model.fp16.safetensors']],
    [
      ['model.non_ema.safetensors', 'model.fp16.safetensors'],
      'non_ema',
      ['non_ema', 'model.non_ema.safetensors'],
    ],
    [['lora.safetensors', 'model.bf16.safetensors'], undefined, ['bf16', 'model.bf16.safetensors']],
    [
      ['model.safetensors', 'diffusion_pytorch_model.safetensors'],
      undefined,
      ['', 'diffusion_pytorch_model.safetensors'],
    ],
  ]
  it.each(cases)('%j with variant %s', async (files, variant, chosen) => {
    for (const file of files) await writeTensors(folder(file), { a: ['F32', 1] })
    expect(await names(variant === undefined ? {} : { variant })).toEqual(chosen)
  })

  it('a link into a cache', async () => {
    await writeTensors(root('blob'), { a: ['F32', 1] })
    await symlink('../blob', folder('model.safetensors'))
    expect(await names()).toEqual(['', 'model.safetensors'])
  })
})

describe('shards', () => {
  const write = async (weightMap: unknown, file = 'model.safetensors.index.json') => {
    await writeTensors(folder('model-00001-of-00002.safetensors'), { a: ['F32', 1], b: ['F16', 2] })
    await writeTensors(folder('model-00002-of-00002.safetensors'), { c: ['F32', 1] })
    await writeFile(
      folder(file),
      typeof weightMap === 'string' ? weightMap : JSON.stringify({ weight_map: weightMap }),
    )
  }
  const [one, two] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
  const right = { a: one, b: one, c: two }

  it('are read together', async () => {
    await write(right)
    const { tensors, paths } = await readWeightFiles(folder())
    expect(paths).toEqual([folder(one), folder(two)])
    expect([...tensors.keys()]).toEqual(['a', 'b', 'c'])
    expect(tensors.get('c')?.path).toBe(folder(two))
  })
  it('as diffusers writes them', async () => {
    const { paths, tensors } = await readWeightFiles(join(golden, 'batch3/model/unet'))
    expect(paths.length).toBe(3)
    expect(tensors.get('conv_in.weight')?.shape).toEqual([8, 4, 3, 3])
  })
  it.each(['model.safetensors.index.fp16.json'])('of a variant: %s', async (file) => {
    await write(right, file)
    expect((await names())[0]).toBe('fp16')
  })
  it.each([
    '../secret.safetensors',
    '/etc/secret.safetensors',
    'a/b.safetensors',
    'a\\b.safetensors',
    'C:b.safetensors',
    '..',
    'x.bin',
    '',
    'a\0.safetensors',
    `${'a'.repeat(244)}.safetensors`,
    3,
    null,
    ['x.safetensors'],
  ])('do not reach for %j', async (file) => {
    await write({ ...right, a: file })
    const error = await thrownBy(() => readWeightFiles(folder()))
    expect(error).toMatchObject({ code: 'INVALID_WEIGHTS', message: expect.stringContaining('beside it') })
  })
  it.each(['', '[]', '{}', '{"weight_map": 3}', '{"weight_map": []}', '{"weight_map": {}}', 'no json'])(
    'refuse the index %j',
    async (text) => {
      await write(text)
      expect(await thrownBy(() => readWeightFiles(folder()))).toMatchObject({ code: 'INVALID_WEIGHTS' })
    },
  )
  it('refuse an index of more than 2 MiB, as it would keep the event loop', async () => {
    const text = JSON.stringify({ weight_map: right })
    await write(text.padEnd(2 ** 21))
    expect((await readWeightFiles(folder())).tensors.size).toBe(3)
    await write(text.padEnd(2 ** 21 + 1))
    expect(await thrownBy(() => readWeightFiles(folder()))).toMatchObject({
      code: 'INVALID_WEIGHTS',
      message: expect.stringContaining('2097153 bytes'),
    })
  })
  it.each(hostileTexts)('have few words for %s', async (_, text) => {
    await write(spelled({ weight_map: { a: placeholder } }, text))
    const error = await thrownBy(() => readWeightFiles(folder()))
    expect(error.message.length).toBeLessThan(500)
    await write({ ...right, ['x'.repeat(1e6)]: one })
    expect((await thrownBy(() => readWeightFiles(folder()))).message.length).toBeLessThan(500)
  })
  it('refuse an index that names the wrong shard', async () => {
    await write({ ...right, a: two })
    const error = await thrownBy(() => readWeightFiles(folder()))
    expect(error).toMatchObject({
      code: 'INVALID_WEIGHTS',
      message: expect.stringContaining('"a" is not in'),
    })
  })
  it('refuse a tensor that is in two', async () => {
    await write(right)
    await writeTensors(folder(two), { c: ['F32', 1], a: ['F32', 1] })
    const error = await thrownBy(() => readWeightFiles(folder()))
    expect(error).toMatchObject({ code: 'INVALID_WEIGHTS', message: expect.stringContaining('is in') })
  })
  it('say which one is missing', async () => {
    await write({ ...right, d: 'model-00003-of-00003.safetensors' })
    const error = await thrownBy(() => readWeightFiles(folder()))
    expect(error).toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: expect.stringContaining('00003-of-00003'),
    })
  })
})

describe('nothing to load', () => {
  it('a missing folder', async () => {
    expect(await thrownBy(() => readWeightFiles(folder('nowhere')))).toMatchObject({
      code: 'MODEL_NOT_FOUND',
    })
  })
  it('an empty folder, and one with other things', async () => {
    expect((await thrownBy(() => readWeightFiles(folder()))).message).toContain('it is empty')
    await writeFile(folder('config.json'), '{}')
    expect(await thrownBy(() => readWeightFiles(folder()))).toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: expect.stringContaining('config.json'),
      advice: expect.stringContaining('model.safetensors'),
    })
  })
  it.each(['diffusion_pytorch_model.bin', 'model.ckpt', 'pytorch_model.pt'])(
    'the pickle %s',
    async (file) => {
      await writeFile(folder(file), 'PK')
      const error = await thrownBy(() => readWeightFiles(folder()))
      expect(error.code).toBe('MODEL_NOT_FOUND')
      expect(error.message).toMatch(/pickle.*safe_serialization/)
    },
  )
  it('a variant that is not there', async () => {
    await writeTensors(folder('model.safetensors'), { a: ['F32', 1] })
    expect((await thrownBy(() => names({ variant: 'fp16' }))).message).toContain('only plain files')
    await writeTensors(folder('model.fp16.safetensors'), { a: ['F32', 1] })
    expect((await thrownBy(() => names({ variant: 'fp61' }))).message).toContain('Did you mean "fp16"?')
  })
  it('variants without a favourite', async () => {
    for (const file of ['model.non_ema.safetensors', 'model.ema.safetensors'])
      await writeTensors(folder(file), {})
    expect((await thrownBy(() => names())).message).toContain('Choose one: ema, non_ema')
  })
})
