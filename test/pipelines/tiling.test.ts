// Pictures in strips against pictures in one piece, with the embedded model.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultModelFolder, type Latents, load, type Pipeline, type RawImage } from '../../lib/index.ts'

const width = 256
const height = 192

/** Smooth shapes with edges and fine texture, different from top to bottom: hard on strips that see only themselves. */
function painted(): RawImage {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const disc = Math.hypot(x - 90, y - 60) < 45 ? 1 : 0
      const texture = y > 120 ? 60 * Math.sin(x * 1.1) * Math.sin(y * 0.9) : 0
      const rgb = [40 + (180 * y) / height + texture, 210 - 150 * disc, 90 + 120 * disc + (40 * x) / width]
      for (const [c, value] of rgb.entries())
        data[(y * width + x) * 3 + c] = Math.min(255, Math.max(0, value))
    }
  }
  return { data, width, height, channels: 3 }
}

function psnr(a: Uint8Array, b: Uint8Array): number {
  let squares = 0
  for (let i = 0; i < a.length; i++) squares += (a[i]! - b[i]!) ** 2
  return 10 * Math.log10(255 ** 2 / (squares / a.length))
}

/** Mean difference between each row and the next one. */
const gradients = (pixels: Uint8Array): number[] =>
  Array.from({ length: height - 1 }, (_, y) => {
    const row = width * 3
    let sum = 0
    for (let i = y * row; i < (y + 1) * row; i++) sum += Math.abs(pixels[i + row]! - pixels[i]!)
    return sum / row
  })

let [whole, strips]: Pipeline[] = []
let latents: Latents
beforeAll(async () => {
  whole = await load(defaultModelFolder, { vaeTiling: false })
  strips = await load(defaultModelFolder, { vaeTiling: true })
  latents = await whole.encodeImage(painted(), { width, height })
})
afterAll(async () => {
  await whole?.dispose()
  await strips?.dispose()
})

describe('vaeTiling', () => {
  it('decodes in strips what one piece gives', async () => {
    const [expected] = await whole!.decodeLatents(latents)
    const [found] = await strips!.decodeLatents(latents)
    // The same arithmetic, rounded otherwise: now and then that turns a byte.
    expect(psnr(found!.data, expected!.data)).toBeGreaterThan(80)
    const largest = found!.data.reduce((most, v, i) => Math.max(most, Math.abs(v - expected!.data[i]!)), 0)
    expect(largest).toBeLessThanOrEqual(1)
  })

  it('leaves no seam', async () => {
    const [expected] = await whole!.decodeLatents(latents)
    const [found] = await strips!.decodeLatents(latents)
    const [before, after] = [gradients(expected!.data), gradients(found!.data)]
    // Bytes that rounding turns are few in every row; a seam would be all along one.
    for (const [y, gradient] of after.entries()) expect(Math.abs(gradient - before[y]!)).toBeLessThan(0.02)
  })

  it('encodes in strips what one piece gives', async () => {
    const found = await strips!.encodeImage(painted(), { width, height })
    expect(found.shape).toEqual(latents.shape)
    // In strips indeed: the last bits differ.
    expect(found.data).not.toEqual(latents.data)
    const square = (data: Float32Array) => data.reduce((sum, v) => sum + v * v, 0)
    const difference = square(found.data.map((v, i) => v - latents.data[i]!))
    expect(Math.sqrt(difference / square(latents.data))).toBeLessThan(1e-5)
  })

  it('gives the same bytes for any number of threads, and every time', async () => {
    const [first] = await strips!.decodeLatents(latents)
    for (const threads of [1, 3]) {
      await using other = await load(defaultModelFolder, { vaeTiling: true, threads })
      expect((await other.decodeLatents(latents))[0]!.data).toEqual(first!.data)
    }
  })

  it('changes nothing where one piece is enough', async () => {
    await using automatic = await load(defaultModelFolder)
    expect(await automatic.decodeLatents(latents)).toEqual(await whole!.decodeLatents(latents))
    expect(await automatic.encodeImage(painted(), { width, height })).toEqual(latents)
    // Sixteen rows of pixels are too few for strips, whatever the option says.
    const low: Latents = { data: latents.data.slice(0, 4 * 2 * 8), shape: [1, 4, 2, 8] }
    expect(await strips!.decodeLatents(low)).toEqual(await whole!.decodeLatents(low))
  })

  it('goes through a whole generation', async () => {
    const options = { prompt: 'red apple', seed: 1, steps: 2, width, height }
    const { images } = await strips!.generate({ ...options, init: painted(), previewEvery: 1, count: 2 })
    const { images: expected } = await whole!.generate({ ...options, init: painted(), count: 2 })
    for (const [i, { data }] of images.entries()) {
      expect(psnr(data, expected[i]!.data)).toBeGreaterThan(60)
    }
  })

  it('stops where it is aborted', async () => {
    const large: Latents = { data: new Float32Array(4 * 128 * 128), shape: [1, 4, 128, 128] }
    const controller = new AbortController()
    const decoding = strips!.decodeLatents(large, { signal: controller.signal })
    setTimeout(() => controller.abort(), 300)
    await expect(decoding).rejects.toMatchObject({ code: 'ABORTED' })
    const begin = performance.now()
    await strips!.decodeLatents({ data: latents.data.slice(0, 256), shape: [1, 4, 8, 8] })
    expect(performance.now() - begin).toBeLessThan(2000)
  })

  it('says what it takes', async () => {
    const refused = load(defaultModelFolder, { vaeTiling: 'on' as never })
    await expect(refused).rejects.toThrow('Option vaeTiling must be "auto", true or false, got \'on\'')
    const both = load(defaultModelFolder, { vaeTiling: true, exact: true })
    await expect(both).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(both).rejects.toThrow('exclude each other')
  })
})
