// Pictures to files, and pictures from outside.

import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ImageInput, readImage } from '../../../lib/image/input.ts'
import { Picture } from '../../../lib/image/picture.ts'
import { readPngText } from '../../../lib/image/png-text.ts'

const width = 6
const height = 4
const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37) % 256)
const parameters = {
  ...{
    prompt: 'red apple',
    negativePrompt: '',
    steps: 20,
    scheduler: 'ddim',
    karras: false,
    guidanceScale: 5,
  },
  ...{ seed: 1n, rng: 'torch-cpu' as const, width, height, model: 'default' },
}
const picture = Picture.of({ width, height, data, seed: 1n, parameters })
/** One pixel wider than WebP can be. */
const wide = Picture.of({
  ...{ width: 16384, height: 1, data: new Uint8Array(3 * 16384), seed: 1n, parameters },
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tintype-image-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function ontoFolder(name: string): Promise<void> {
  await mkdir(join(folder, name))
  await picture.toFile(join(folder, name)).finally(() => rmdir(join(folder, name)))
}

describe('Picture', () => {
  it('writes PNG without loss, with its parameters', async () => {
    const path = join(folder, 'apple.png')
    await picture.toFile(path)
    const decoded = await sharp(path).raw().toBuffer()
    expect([...decoded]).toEqual([...data])
    expect(readPngText(await readFile(path)).get('parameters')).toMatch(
      /^red apple\nSteps: 20, Sampler: DDIM/,
    )
    expect(await readdir(folder)).toEqual(['apple.png'])
  })

  it('writes to a file URL', async () => {
    const url = pathToFileURL(join(folder, 'a pear.png'))
    await picture.toFile(url)
    expect(await sharp(join(folder, 'a pear.png')).metadata()).toMatchObject({ width, height })
    await rm(url)
  })

  it('is JSON without its pixels', () => {
    const seed = 2n ** 64n - 1n
    const seeded = Picture.of({ width, height, data, seed, parameters: { ...parameters, seed } })
    const text = String(seed)
    const expected = { width, height, seed: text, parameters: { ...parameters, seed: text } }
    expect(JSON.parse(JSON.stringify([seeded]))).toEqual([expected])
  })

  it('writes names that are as long as names can be', async () => {
    const path = join(folder, `${'n'.repeat(251)}.png`)
    await picture.toFile(path)
    expect((await readImage(path)).width).toBe(width)
  })

  it.each(['jpeg', 'webp'] as const)('writes %s', async (format) => {
    const { format: written } = await sharp(await picture.toBuffer(format, { quality: 80 })).metadata()
    expect(written).toBe(format)
  })

  it.each([
    [() => picture.toFile('apple.gif'), 'INVALID_ARGUMENT', /extension ".gif"/],
    [() => picture.toFile('apple'), 'INVALID_ARGUMENT', /extension ""/],
    [() => picture.toFile(join(folder, 'none', 'apple.png')), 'IO', /Does its folder exist/],
    [
      () => picture.toFile(join(import.meta.filename, 'apple.png')),
      'IO',
      /written \(ENOTDIR\)\. .* is a file/,
    ],
    [() => picture.toFile(join(folder, `${'n'.repeat(252)}.png`)), 'IO', /\(ENAMETOOLONG\)\. Take a shorter/],
    [() => ontoFolder('folder.png'), 'IO', /\(EISDIR\)\. There is a folder of that name/],
    [
      () => picture.toFile(new URL('https://example.com/a.png')),
      'INVALID_ARGUMENT',
      /takes a path or a file URL/,
    ],
    [() => picture.toFile(new URL('file:///a%2Fb.png')), 'INVALID_ARGUMENT', /got file:/],
    [() => picture.toFile(undefined as unknown as string), 'INVALID_ARGUMENT', /got undefined/],
    [
      () => wide.toBuffer('webp'),
      'INVALID_ARGUMENT',
      /16384x1 cannot be written as webp .* PNG has no such limit/,
    ],
    [() => picture.toBuffer('gif' as 'png'), 'UNKNOWN_OPTION', /no picture format "gif"/],
    [() => picture.toBuffer('jpeg', { quality: 0 }), 'INVALID_ARGUMENT', /quality must be .* got 0\./],
    [() => picture.toBuffer('jpeg', { quality: 5n as never }), 'INVALID_ARGUMENT', /got 5n\./],
    [() => picture.toBuffer('jpeg', { qualtiy: 5 } as object), 'UNKNOWN_OPTION', /Did you mean "quality"/],
    [() => picture.toBuffer('png', null as never), 'INVALID_ARGUMENT', /an object of options, got null/],
    [() => picture.toBuffer(Symbol('png') as never), 'UNKNOWN_OPTION', /no picture format Symbol\(png\)/],
    [() => picture.toFile(Object.create(null)), 'INVALID_ARGUMENT', /takes a path or a file URL/],
    [() => picture.toFile('a\0.png'), 'INVALID_ARGUMENT', /got "a\\u0000\.png"/],
  ])('refuses what it cannot do (%#)', async (write, code, message) => {
    await expect(write()).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })
})

describe('readImage', () => {
  it('scales JPEG files by the filter of all others', async () => {
    const [side, to] = [1024, { width: 48, height: 48 }]
    const bars = Uint8Array.from({ length: side * side * 3 }, (_, i) => (Math.floor(i / 3 / 37) % 2) * 255)
    const file = await sharp(bars, { raw: { width: side, height: side, channels: 3 } })
      .jpeg()
      .toBuffer()
    const [scaled, other] = [await readImage(file, to), await readImage(await readImage(file), to)]
    expect(scaled).toEqual(other)
  })

  it('refuses more channels than colours have', async () => {
    // A pixel of grey and three numbers more: entries of a TIFF file by tag, type, count, and value or offset.
    const [bits, more, pixel] = [200, 208, 216]
    const entries = [
      ...[
        [256, 3, 1, 1],
        [257, 3, 1, 1],
        [258, 3, 4, bits],
        [259, 3, 1, 1],
        [262, 3, 1, 1],
        [273, 4, 1, pixel],
      ],
      ...[
        [277, 3, 1, 4],
        [278, 3, 1, 1],
        [279, 4, 1, 4],
        [338, 3, 3, more],
      ],
    ] as [number, number, number, number][]
    const file = Buffer.alloc(pixel + 4)
    file.write('II*')
    file.writeUInt32LE(8, 4)
    file.writeUInt16LE(entries.length, 8)
    for (const [i, [tag, type, count, value]] of entries.entries()) {
      file.writeUInt16LE(tag, 10 + 12 * i)
      file.writeUInt16LE(type, 12 + 12 * i)
      file.writeUInt32LE(count, 14 + 12 * i)
      file.writeUInt32LE(value, 18 + 12 * i)
    }
    for (let i = 0; i < 4; i++) file.writeUInt16LE(8, bits + 2 * i)
    await expect(readImage(file)).rejects.toMatchObject({
      code: 'INVALID_IMAGE',
      message: expect.stringContaining('channels of colour'),
    })
  })

  it.each<[string, () => Promise<ImageInput>]>([
    ['a path', async () => join(folder, 'apple.png')],
    ['a URL', async () => pathToFileURL(join(folder, 'apple.png'))],
    ['bytes', async () => readFile(join(folder, 'apple.png'))],
    ['pixels', async () => ({ data, width, height })],
    ['a Picture', async () => picture],
  ])('takes %s', async (_, input) => {
    await picture.toFile(join(folder, 'apple.png'))
    const image = await readImage(await input())
    expect(image).toMatchObject({ width, height })
    expect([...image.data]).toEqual([...data])
  })

  it('puts transparency on white and makes grey RGB', async () => {
    const clear = {
      data: Uint8Array.of(0, 0, 0, 0, 255, 0, 0, 255),
      width: 2,
      height: 1,
      channels: 4 as const,
    }
    expect([...(await readImage(clear)).data]).toEqual([255, 255, 255, 255, 0, 0])
    const grey = { data: Uint8Array.of(7, 9), width: 2, height: 1, channels: 1 as const }
    expect([...(await readImage(grey)).data]).toEqual([7, 7, 7, 9, 9, 9])
  })

  it('turns as EXIF says', async () => {
    const turned = await sharp(data, { raw: { width, height, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer()
    expect(await readImage(turned)).toMatchObject({ width: height, height: width })
  })

  it('scales to the size asked for', async () => {
    const image = await readImage(picture, { width: 16, height: 24 })
    expect(image).toMatchObject({ width: 16, height: 24 })
    expect(image.data.length).toBe(16 * 24 * 3)
  })

  it('does not change what it was given', async () => {
    const image = await readImage({ data, width, height })
    image.data.fill(0)
    expect(data.some((value) => value > 0)).toBe(true)
  })

  it.each<[string, () => Promise<ImageInput>, RegExp]>([
    ['a missing file', async () => join(folder, 'none.png'), /none.png does not exist/],
    ['a folder', async () => folder, /is no regular file/],
    ['a file that is no picture', async () => import.meta.filename, /no picture that can be read/],
    ['bytes that are no picture', async () => Buffer.from('hello world'), /no picture that can be read/],
    ['no bytes', async () => new Uint8Array(0), /no picture|cannot be read/],
    [
      'half a picture',
      async () =>
        (
          await sharp({ create: { width: 99, height: 99, channels: 3, background: 'red' } })
            .png()
            .toBuffer()
        ).subarray(0, 120),
      /init image/,
    ],
    ['too few pixels', async () => ({ data, width: 100, height: 100 }), /are 30000 bytes, got 72/],
    ['a negative size', async () => ({ data, width: -6, height: -4 }), /cannot be used/],
    ['a web address', async () => new URL('https://example.com/a.png'), /not on this machine/],
    ['a file of another machine', async () => new URL('file://host/a.png'), /not on this machine/],
    ['something else', async () => ({}) as ImageInput, /of a type that cannot be read/],
  ])('refuses %s', async (_, input, message) => {
    await expect(readImage(await input(), { width: 8, height: 8 })).rejects.toMatchObject({
      code: 'INVALID_IMAGE',
      message: expect.stringMatching(message),
    })
  })

  it('refuses a picture bomb before it decodes it', async () => {
    const path = join(folder, 'bomb.png')
    const header = await sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } })
      .png()
      .toBuffer()
    header.writeUInt32BE(60000, 16)
    header.writeUInt32BE(60000, 20)
    await writeFile(path, header)
    await expect(readImage(path)).rejects.toMatchObject({ code: 'INVALID_IMAGE' })
  })
})
