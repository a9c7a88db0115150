// The acceptance figures: what is painted for each, and what is counted.

import type { RgbImage } from '../../../lib/image/input.ts'
import type { Pipeline } from '../../../lib/index.ts'
import { type Emoji, pictureSize } from '../../../tools/train-default-model/emoji.ts'
import { type Features, featuresOf, rankOf } from './features.ts'
import { labDistance, toLab } from './lab.ts'
import { colors, evenly, heldOutPairs } from './pairs.ts'
import { compose } from './placement.ts'

/** Width of the border where no placement in training has much of an object, in pixels. */
const frame = 4
/** The largest mean Lab distance of a background that is called right. */
const rightBackground = 12
/** Pictures of one prompt, and how far apart two must be (RMS, 0 to 255) to be called different. */
const seedsOfPrompt = 8
const leastDifference = 4

/** An emoji, on white as an original, and that one's features. */
export interface Original extends Emoji {
  readonly picture: RgbImage
  readonly features: Features
}

export interface Painting {
  readonly pipeline: Pipeline
  readonly guidanceScale: number
  readonly steps: number
  readonly guidanceInterval?: readonly [number, number]
  readonly cacheInterval?: number
  readonly tokenMerging?: number
}

/** Paints one picture of the model's size. */
async function paint({ pipeline, ...options }: Painting, prompt: string, seed: number): Promise<RgbImage> {
  const { images } = await pipeline.generate({ prompt, seed, ...options })
  return images[0]!
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const share = (values: readonly boolean[]) => mean(values.map(Number))

/** Every emoji on white, with features. */
export const toOriginals = (emoji: readonly Emoji[]): Original[] =>
  emoji.map((one) => {
    const picture = compose(one.rgba, pictureSize, colors.white!)
    return { ...one, picture, features: featuresOf(picture) }
  })

/** Root mean square difference of two pictures of one size, 0 to 255. */
export function rmsDifference(a: RgbImage, b: RgbImage): number {
  let sum = 0
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i]! - b.data[i]!) ** 2
  return Math.sqrt(sum / a.data.length)
}

/** Mean over `count` originals of the peak signal-to-noise ratio after encoding and decoding, in dB. */
export async function reconstruction(
  pipeline: Pipeline,
  originals: readonly Original[],
  count: number,
): Promise<number> {
  const ratios: number[] = []
  for (const i of evenly(count, originals.length)) {
    const { picture } = originals[i]!
    const [decoded] = await pipeline.decodeLatents(await pipeline.encodeImage(picture))
    ratios.push(20 * Math.log10(255 / rmsDifference(decoded!, picture)))
  }
  return mean(ratios)
}

export interface NameFigures {
  /** Share of pictures whose nearest original is the named one. */
  readonly top1: number
  /** Share of pictures with the named one among the nearest five. */
  readonly top5: number
  /** Of the named one among all originals, counted from 0. */
  readonly medianRank: number
}

function summarize(ranks: readonly number[]): NameFigures {
  const sorted = [...ranks].sort((a, b) => a - b)
  return {
    top1: share(ranks.map((rank) => rank < 1)),
    top5: share(ranks.map((rank) => rank < 5)),
    medianRank: sorted[Math.floor(sorted.length / 2)]!,
  }
}

/** Paints `count` names, each with its place among the originals as seed. */
export async function namesFound(
  painting: Painting,
  originals: readonly Original[],
  count: number,
): Promise<NameFigures> {
  const features = originals.map((original) => original.features)
  const ranks: number[] = []
  for (const i of evenly(count, originals.length)) {
    ranks.push(rankOf(i, featuresOf(await paint(painting, originals[i]!.name, i)), features))
  }
  return summarize(ranks)
}

/** Mean Lab distance of a picture's frame to a colour (0 to 255). */
export function frameDistance({ data, width, height }: RgbImage, color: readonly number[]): number {
  const lab = (rgb: ArrayLike<number>, at: number) =>
    toLab(rgb[at]! / 255, rgb[at + 1]! / 255, rgb[at + 2]! / 255)
  const target = lab(color, 0)
  const all: number[] = []
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = x >= frame && x < width - frame && y >= frame && y < height - frame
      if (!inside) all.push(labDistance(lab(data, 3 * (y * width + x)), target))
    }
  }
  return mean(all)
}

/** Share of `count` held-out pairs whose background is the one asked for; the seed is the pair's number. */
export async function backgroundsRight(
  painting: Painting,
  originals: readonly Original[],
  count: number,
): Promise<number> {
  const pairs = heldOutPairs(originals)
  const right: boolean[] = []
  for (const [seed, i] of evenly(count, pairs.length).entries()) {
    const { object, color } = pairs[i]!
    const picture = await paint(painting, `${object.name} on a ${color} background`, seed)
    right.push(frameDistance(picture, colors[color]!) < rightBackground)
  }
  return share(right)
}

export interface SeedFigures extends NameFigures {
  /** Mean over the prompts of the smallest RMS difference between two of the eight pictures, 0 to 255. */
  readonly difference: number
  /** Share of prompts all of whose eight pictures differ, each from each, by an RMS of 4 or more. */
  readonly distinct: number
}

/** Paints `count` names with eight seeds each: different pictures, of the same thing. */
export async function seedsDiffer(
  painting: Painting,
  originals: readonly Original[],
  count: number,
): Promise<SeedFigures> {
  const features = originals.map((original) => original.features)
  const ranks: number[] = []
  const smallest: number[] = []
  for (const i of evenly(count, originals.length)) {
    const pictures: RgbImage[] = []
    for (let seed = 0; seed < seedsOfPrompt; seed++) {
      pictures.push(await paint(painting, originals[i]!.name, seed))
    }
    const pairs = pictures.flatMap((a, j) => pictures.slice(j + 1).map((b) => rmsDifference(a, b)))
    smallest.push(Math.min(...pairs))
    ranks.push(...pictures.map((picture) => rankOf(i, featuresOf(picture), features)))
  }
  return {
    difference: mean(smallest),
    distinct: share(smallest.map((rms) => rms >= leastDifference)),
    ...summarize(ranks),
  }
}
