// How large a picture is painted, with and without one to start from.

import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { Size } from '../../../lib/image/input.ts'
import { pictureSize } from '../../../lib/pipelines/picture-size.ts'

const defaults = { width: 512, height: 512, factor: 8, guidanceScale: 7.5, steps: 20 }

/** A size alone: where a side is missing nothing else of the picture is looked at. */
const paint = async (own: Size | undefined, asked: Partial<Size>) => {
  const data = own && new Uint8Array(own.width * own.height)
  const init = own && data && { ...own, data, channels: 1 as const }
  return pictureSize({ width: undefined, height: undefined, ...asked, init }, defaults)
}

const of = (text: string): Size => {
  const [width, height] = text.split('x').map(Number)
  return { width: width!, height: height! }
}

describe('pictureSize', () => {
  it("is the model's without a picture", async () => {
    expect(await paint(undefined, {})).toEqual({ width: 512, height: 512, warnings: [] })
    expect(await paint(undefined, { width: 768 })).toMatchObject({ width: 768, height: 512 })
  })

  // What diffusers' StableDiffusionImg2ImgPipeline paints from them.
  it.each([
    ['320x128', '320x128'],
    ['327x135', '320x128'],
    ['1024x1024', '1024x1024'],
    ['8x1600', '8x1600'],
  ])('of a picture of %s is %s', async (own, expected) => {
    expect(await paint(of(own), {})).toEqual({ ...of(expected), warnings: [] })
  })

  it('has at least one latent on each side', async () => {
    expect(await paint(of('5x100'), {})).toMatchObject({ width: 8, height: 96 })
  })

  it("is brought to the model's pixels where the picture is a photo, and says so", async () => {
    const { warnings, ...size } = await paint(of('4000x3000'), {})
    expect(size).toEqual({ width: 584, height: 440 })
    expect(warnings).toEqual([expect.stringMatching(/4000x3000 has 45 times .* painted at 584x440/)])
  })

  it('keeps proportions with one side given, and none with both', async () => {
    expect(await paint(of('4000x3000'), { width: 512 })).toEqual({ width: 512, height: 384, warnings: [] })
    expect(await paint(of('4000x3000'), { height: 600 })).toEqual({ width: 800, height: 600, warnings: [] })
    expect(await paint(of('400x300'), { width: 64, height: 64 })).toMatchObject({ width: 64, height: 64 })
  })

  it('is that of a file as EXIF turns it', async () => {
    const turned = await sharp({ create: { width: 320, height: 128, channels: 3, background: 'red' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer()
    const size = await pictureSize({ width: undefined, height: undefined, init: turned }, defaults)
    expect(size).toMatchObject({ width: 128, height: 320 })
  })

  it('refuses what leads to no sensible size, and what is no picture', async () => {
    await expect(paint(of('2x100'), { width: 512 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/init image of 2x100 .* 512x25600.* at most 16384/),
    })
    const none = pictureSize({ width: undefined, height: undefined, init: 'no/such.png' }, defaults)
    await expect(none).rejects.toMatchObject({ code: 'INVALID_IMAGE' })
  })
})
