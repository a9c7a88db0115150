// The acceptance figures of the default model, measured with tintype itself; the last line is JSON.
//
// usage: npm run evaluate:default-model -- [--model FOLDER] [--guidance X] [--steps N]
//                                          [--guidance-interval FROM,TO] [--cache-interval N] [--token-merging X]
//                                          [--precision int8|bf16]
//                                          [--pictures N] [--names N] [--pairs N] [--prompts N]
//
// The originals are the 973 emoji that training saw, on white at scale 0.92. Names, pairs and prompts are spread
// evenly over all there are; seeds are fixed, so the same model gives the same figures.
//
// psnr        mean over the originals of 20 log10(255 / RMS error) in dB, after encoding and decoding
// top1, top5  share of 200 names whose picture's nearest original is the named one, or has it among its nearest five
//             (features.ts says how near); medianRank is the named one's place, from 0
// background  share of 100 pairs of object and colour, never seen together in training, with the background asked for:
//             a mean Lab distance (CIE76) under 12 over the outermost four pixels, where objects hardly reach
// seeds       eight names, eight seeds each: `difference`, the smallest RMS difference (0..255) between two pictures
//             of one name, mean over the names; `distinct`, the share of names for which it is 4 or more; and
//             top1, top5, medianRank of all 64 pictures
//
// The pictures come from packages that only training needs: npm install --prefix tools/train-default-model

import { load, TintypeError } from '../../../lib/index.ts'
import {
  PicturesNotInstalledError,
  pictureSize,
  renderEmoji,
} from '../../../tools/train-default-model/emoji.ts'
import { backgroundsRight, namesFound, reconstruction, seedsDiffer, toOriginals } from './figures.ts'
import { parseOptions } from './options.ts'
import { heldOutPairs } from './pairs.ts'

const rounded = (value: number, digits: number) => Number(value.toFixed(digits))
const roundedAll = <T extends object>(figures: T) =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, rounded(value, 3)]))

async function main(): Promise<void> {
  const emoji = renderEmoji()
  const options = parseOptions(process.argv.slice(2), {
    originals: emoji.length,
    pairs: heldOutPairs(emoji).length,
  })
  await using pipeline = await load(options.model, { precision: options.precision })
  const { defaults } = pipeline.info
  if (defaults.width !== pictureSize || defaults.height !== pictureSize) {
    throw new TintypeError(
      'UNSUPPORTED_MODEL',
      `${options.model} paints ${defaults.width}x${defaults.height} pictures, the originals are ${pictureSize}x${pictureSize}.`,
    )
  }
  const painting = {
    pipeline,
    guidanceScale: options.guidance ?? defaults.guidanceScale,
    steps: options.steps ?? defaults.steps,
    ...(options.guidanceInterval && { guidanceInterval: options.guidanceInterval }),
    ...(options.tokenMerging && { tokenMerging: options.tokenMerging }),
    ...(options.cacheInterval && { cacheInterval: options.cacheInterval }),
  }
  const originals = toOriginals(emoji)
  const figures: Record<string, unknown> = {}
  const add = (found: Record<string, unknown>) => {
    Object.assign(figures, found)
    console.error(JSON.stringify(found))
  }
  add({ psnr: rounded(await reconstruction(pipeline, originals, options.pictures), 2) })
  add(roundedAll(await namesFound(painting, originals, options.names)))
  add({ background: rounded(await backgroundsRight(painting, originals, options.pairs), 3) })
  add({ seeds: roundedAll(await seedsDiffer(painting, originals, options.prompts)) })
  const { precision, pictures, names, pairs, prompts } = options
  const { pipeline: _, guidanceScale: guidance, ...painted } = painting
  console.log(
    JSON.stringify({ ...figures, precision, guidance, ...painted, pictures, names, pairs, prompts }),
  )
}

try {
  await main()
} catch (error) {
  if (!(error instanceof TintypeError || error instanceof PicturesNotInstalledError)) throw error
  console.error(`evaluate:default-model: ${error.message}`)
  process.exitCode = 1
}
