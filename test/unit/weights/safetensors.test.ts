// The safetensors header: real files, and every way that we know of to make one hurt.

import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSafetensorsHeader } from '../../../lib/weights/safetensors.ts'
import { thrownBy } from '../models/thrown-by.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { type Entry, writeRaw, writeTensors } from './write-safetensors.ts'

const folder = temporaryFolder()
const golden = join(import.meta.dirname, '../../golden/pipelines')

describe('good files', () => {
  it('names every tensor with its place', async () => {
    const path = folder('good.safetensors')
    await writeTensors(path, { b: ['F16', 2, 3], a: ['F32'], empty: ['BF16', 0, 4], big: ['I64', 2] })
    const { tensors, metadata } = await readSafetensorsHeader(path)
    const start = 8 + Number((await readFile(path)).readBigUInt64LE())
    expect([...tensors.values()]).toEqual([
      { name: 'b', dtype: 'F16', shape: [2, 3], path, offset: start, bytes: 12 },
      { name: 'a', dtype: 'F32', shape: [], path, offset: start + 12, bytes: 4 },
      { name: 'empty', dtype: 'BF16', shape: [0, 4], path, offset: start + 16, bytes: 0 },
      { name: 'big', dtype: 'I64', shape: [2], path, offset: start + 16, bytes: 16 },
    ])
    expect([...metadata]).toEqual([['format', 'pt']])
  })

  it('reads what Python wrote', async () => {
    const { tensors } = await readSafetensorsHeader(join(golden, 'sd1/golden.safetensors'))
    expect(tensors.get('text.embeddings')).toMatchObject({
      dtype: 'F32',
      shape: [1, 77, 24],
      bytes: 77 * 24 * 4,
    })
    expect(tensors.get('vae.picture')).toMatchObject({ dtype: 'U8', shape: [128, 128, 3] })
  })

  it('takes padded headers, tensors in any order, no tensors at all, and odd names', async () => {
    const path = folder('odd.safetensors')
    const entry = (begin: number): Entry => ({ dtype: 'F32', shape: [1], data_offsets: [begin, begin + 4] })
    const names = { second: entry(4), '': entry(0), 'a "b": c\\': entry(8) }
    await writeRaw(path, `${JSON.stringify(names)}      `, 12)
    expect([...(await readSafetensorsHeader(path)).tensors.keys()]).toEqual(Object.keys(names))
    await writeRaw(path, '{}')
    expect((await readSafetensorsHeader(path)).tensors.size).toBe(0)
  })

  it('treats __proto__ as a name like any other', async () => {
    const path = folder('proto.safetensors')
    await writeRaw(path, '{"__proto__": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}', 4)
    expect([...(await readSafetensorsHeader(path)).tensors.keys()]).toEqual(['__proto__'])
    expect('dtype' in {}).toBe(false)
  })

  it('follows links, as the Hugging Face cache has them', async () => {
    await writeTensors(folder('blob'), { a: ['F32', 1] })
    await symlink('blob', folder('link.safetensors'))
    expect((await readSafetensorsHeader(folder('link.safetensors'))).tensors.size).toBe(1)
  })
})

const f32 = (data_offsets: readonly unknown[], shape: readonly unknown[] = [1], dtype: unknown = 'F32') => ({
  dtype,
  shape,
  data_offsets,
})

/** A header, how many bytes of tensors follow it, and what the error says. */
const badHeaders: readonly (readonly [what: string, header: unknown, dataBytes: number, says: RegExp])[] = [
  ['no JSON', 'hello', 0, /no JSON object/],
  ['cut JSON', '{"a": ', 0, /no JSON object/],
  ['a list', '[]', 0, /no JSON object/],
  ['white space before the object', ' {}', 0, /no JSON object/],
  ['nothing', '', 0, /no JSON object/],
  ['a tensor that is a number', { a: 3 }, 0, /tensor "a" is no JSON object/],
  ['a tensor that is null', { a: null }, 0, /tensor "a" is no JSON object/],
  ['metadata that is a list', { __metadata__: [] }, 0, /__metadata__/],
  ['metadata of numbers', { __metadata__: { epoch: 3 } }, 0, /__metadata__\.epoch/],
  ['an unknown dtype', { a: f32([0, 4], [1], 'F31') }, 4, /"a": unknown dtype "F31"/],
  ['a dtype of Object.prototype', { a: f32([0, 4], [1], 'toString') }, 4, /unknown dtype/],
  ['a numeric dtype', { a: f32([0, 4], [1], 32) }, 4, /unknown dtype 32/],
  ['no dtype', { a: { shape: [1], data_offsets: [0, 4] } }, 4, /unknown dtype/],
  ['no shape', { a: { dtype: 'F32', data_offsets: [0, 4] } }, 4, /shape/],
  ['a shape of text', { a: f32([0, 4], ['1']) }, 4, /shape/],
  ['a negative shape', { a: f32([0, 4], [-1, -1]) }, 4, /shape/],
  ['a broken shape', { a: f32([0, 4], [1.5]) }, 4, /shape/],
  ['a shape beyond 2^53', { a: f32([0, 4], [2 ** 53]) }, 4, /shape/],
  ['no offsets', { a: { dtype: 'F32', shape: [1] } }, 4, /data_offsets/],
  ['one offset', { a: f32([4]) }, 4, /data_offsets/],
  ['negative offsets', { a: f32([-4, 0]) }, 4, /data_offsets/],
  ['offsets of text', { a: f32(['0', '4']) }, 4, /data_offsets/],
  ['offsets beyond 2^53', { a: f32([0, 2 ** 60]) }, 4, /data_offsets/],
  ['an end before the begin', { a: f32([4, 0]) }, 4, /end \(0\) before they begin \(4\)/],
  ['an end beyond the file', { a: f32([0, 8], [2]) }, 4, /holds 4 bytes.*truncated/],
  ['a shape too large for its bytes', { a: f32([0, 4], [2]) }, 4, /F32 \(2\) does not fill 4 bytes/],
  ['a shape too small for its bytes', { a: f32([0, 8], [1]) }, 8, /does not fill/],
  ['a shape whose product overflows', { a: f32([0, 4], [2 ** 31, 2 ** 31, 2 ** 31]) }, 4, /does not fill/],
  ['a product that wraps to 1 in 64 bits', { a: f32([0, 4], [2 ** 32, 2 ** 32, 1]) }, 4, /does not fill/],
  ['an overflow behind a zero', { a: f32([0, 0], [0, 2 ** 52, 2 ** 52, 2 ** 52]) }, 0, /does not fill|F32/],
  [
    'overlapping tensors',
    { a: f32([0, 8], [2]), b: f32([4, 12], [2]) },
    12,
    /tensor "b" overlaps tensor "a"/,
  ],
  ['the same bytes twice', { a: f32([0, 4]), b: f32([0, 4]) }, 4, /overlaps/],
  ['a hole', { a: f32([0, 4]), b: f32([8, 12]) }, 12, /4 bytes before tensor "b"/],
  ['a hole at the start', { a: f32([4, 8]) }, 8, /4 bytes before tensor "a"/],
  ['bytes at the end', { a: f32([0, 4]) }, 5, /1 bytes at its end/],
  [
    'a key twice',
    `{"a": ${JSON.stringify(f32([0, 4]))}, "a": ${JSON.stringify(f32([0, 4]))}}`,
    4,
    /key twice/,
  ],
  [
    'a field twice',
    '{"a": {"dtype": "F16", "dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}',
    4,
    /key twice/,
  ],
  ['a very long name', { ['x'.repeat(1e5)]: 3 }, 0, /^.{0,500}$/s],
  ['a very long dtype', { a: f32([0, 4], [1], 'x'.repeat(1e5)) }, 4, /^.{0,500}$/s],
  [
    'a very deep dtype',
    `{"a": {"dtype": ${'['.repeat(1e5)}${']'.repeat(1e5)}, "shape": [1], "data_offsets": [0, 4]}}`,
    4,
    /unknown dtype a list/,
  ],
  ['a shape of 65 axes', { a: f32([0, 4], Array(65).fill(1)) }, 4, /its shape is no list of at most 64/],
  ['metadata of a very long name', { __metadata__: { ['x'.repeat(1e5)]: 3 } }, 0, /^.{0,500}$/s],
]

describe('bad files', () => {
  it.each(badHeaders)('%s', async (_, header, dataBytes, says) => {
    const path = folder('bad.safetensors')
    await writeRaw(path, typeof header === 'string' ? header : JSON.stringify(header), dataBytes)
    const error = await thrownBy(() => readSafetensorsHeader(path))
    expect(error.code).toBe('INVALID_WEIGHTS')
    expect(error.message).toContain(path)
    expect(error.message).toMatch(says)
  })

  it.each([0, 1, 7])('%i bytes', async (size) => {
    await writeFile(folder('short'), Buffer.alloc(size))
    expect(await thrownBy(() => readSafetensorsHeader(folder('short')))).toMatchObject({
      code: 'INVALID_WEIGHTS',
      message: expect.stringContaining(`${size} bytes`),
    })
  })

  it.each([
    [2n ** 21n + 1n, 'reads at most'],
    [2n ** 64n - 1n, 'reads at most'],
    [2n ** 63n, 'reads at most'],
    [9n, 'truncated'],
    [2n ** 21n, 'truncated'],
  ])('a header that claims %i bytes', async (claim, says) => {
    const bytes = Buffer.alloc(16)
    bytes.writeBigUInt64LE(claim)
    await writeFile(folder('claim'), bytes)
    const error = await thrownBy(() => readSafetensorsHeader(folder('claim')))
    expect(error).toMatchObject({ code: 'INVALID_WEIGHTS', message: expect.stringContaining(says) })
  })

  it('a header of more than 2 MiB that is really there, as it would keep the event loop', async () => {
    const path = folder('large')
    await writeRaw(path, '{}'.padEnd(2 ** 21))
    expect((await readSafetensorsHeader(path)).tensors.size).toBe(0)
    await writeRaw(path, '{}'.padEnd(2 ** 21 + 1))
    expect(await thrownBy(() => readSafetensorsHeader(path))).toMatchObject({
      code: 'INVALID_WEIGHTS',
      message: expect.stringContaining('2097153 bytes'),
    })
  })

  it('bytes that are no UTF-8', async () => {
    await writeRaw(folder('latin'), Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))
    expect(await thrownBy(() => readSafetensorsHeader(folder('latin')))).toMatchObject({
      code: 'INVALID_WEIGHTS',
    })
  })

  it('every truncation of a good file', async () => {
    const whole = await readFile(join(golden, 'sample/model/vae/diffusion_pytorch_model.safetensors'))
    const header = 8 + Number(whole.readBigUInt64LE())
    for (const size of [8, 9, 100, header - 1, header, header + 1, whole.length - 1]) {
      await writeFile(folder('cut'), whole.subarray(0, size))
      expect((await thrownBy(() => readSafetensorsHeader(folder('cut')))).code).toBe('INVALID_WEIGHTS')
    }
  })

  it('a Git LFS pointer, with the way out', async () => {
    await writeFile(
      folder('lfs'),
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3438167534\n',
    )
    expect(await thrownBy(() => readSafetensorsHeader(folder('lfs')))).toMatchObject({
      code: 'INVALID_WEIGHTS',
      advice: expect.stringContaining('git lfs pull'),
    })
  })

  it('a folder, a missing file, a link to nothing', async () => {
    await symlink('nowhere', folder('dangling'))
    expect((await thrownBy(() => readSafetensorsHeader(folder('.')))).code).toBe('INVALID_WEIGHTS')
    expect((await thrownBy(() => readSafetensorsHeader(folder('missing')))).code).toBe('MODEL_NOT_FOUND')
    expect((await thrownBy(() => readSafetensorsHeader(folder('dangling')))).code).toBe('MODEL_NOT_FOUND')
  })
})
