// The picture that an installed tintype must give, made by the sources of this checkout.

import sharp from 'sharp'
import { generate } from '../../lib/index.ts'

export const request = { prompt: 'red apple', seed: 1, steps: 4 } as const

/** A program that makes it; the path of the file is its first argument. A bundle in CommonJS cannot await at top level. */
export const paintingProgram = `
import { generate } from 'tintype'
generate(${JSON.stringify(request)}).then(({ images }) => images[0].toFile(process.argv[2]))
`

const pixels = async (picture: string | Buffer) =>
  (await sharp(picture).removeAlpha().raw().toBuffer()) as Buffer

let expected: Promise<Buffer> | undefined

/** Mean distance of a picture's pixels from what they must be, of 255; NaN where there are not as many. */
export async function distanceFromExpected(file: string): Promise<number> {
  expected ??= generate(request).then(async ({ images }) => pixels(await images[0]!.toBuffer('png')))
  const [wanted, got] = await Promise.all([expected, pixels(file)])
  if (wanted.length !== got.length || new Set(wanted).size < 50) return Number.NaN
  let sum = 0
  for (const [i, value] of wanted.entries()) sum += Math.abs(value - got[i]!)
  return sum / wanted.length
}
