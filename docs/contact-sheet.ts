// Paints the 48 pictures of the README with tintype itself, labelled with their prompts.
// usage: npm run contact-sheet -- [--model FOLDER] [--output docs/pictures.png] [--guidance X] [--steps N] [--seed N]

import { parseArgs } from 'node:util'
import sharp, { type OverlayOptions } from 'sharp'
import { defaultModelFolder, load, type Picture } from '../lib/index.ts'

// the last eight are colours and word orders that no caption in training has
const prompts =
  `red apple|cat face|dog face|a cat face on a blue background|a red apple on a yellow background
green apple|pizza|hamburger|rocket|sun|red heart|blue heart|sailboat on a light blue background
cactus on a pink background|penguin|octopus on a purple background|soccer ball|ghost on a black background
grinning face|castle|house|cherry blossom|smiling face with sunglasses on a green background|strawberry|banana
doughnut|birthday cake|fox on an orange background|panda|frog|unicorn|butterfly|rainbow|snowman|tulip|robot|alien
guitar|trophy|airplane|blue apple|an orange background with a fox|green cat face|a purple rocket|three bananas
a cat and a dog|a pizza on the moon|castle on a red background with snow`.split(/[|\n]/)

const columns = 8
const gap = 10
const lineHeight = 13
const labelLines = 3
/** Characters that fit under a picture of 128 pixels. */
const labelWidth = 23

/** Words in lines of at most `labelWidth` characters. */
function wrap(text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = [lines.at(-1), word].filter(Boolean).join(' ')
    if (lines.length > 0 && longer.length <= labelWidth) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}

function labelSvg(prompt: string, width: number): Buffer {
  const lines = wrap(prompt).map(
    (line, i) => `<text x="${width / 2}" y="${(i + 1) * lineHeight - 2}">${line}</text>`,
  )
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${labelLines * lineHeight}"
      font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="10" fill="#444" text-anchor="middle">${lines.join('')}</svg>`,
  )
}

/** Pictures in rows of eight, each over its prompt, on white with a hairline around it. */
async function writeSheet(pictures: readonly Picture[], path: string): Promise<void> {
  const { width, height } = pictures[0]!
  const cell = { width: width + gap, height: height + labelLines * lineHeight + gap }
  const parts = pictures.flatMap((picture, i): OverlayOptions[] => {
    const left = gap + (i % columns) * cell.width
    const top = gap + Math.floor(i / columns) * cell.height
    const hairline = `<svg xmlns="http://www.w3.org/2000/svg" width="${width + 2}" height="${height + 2}">
      <rect x="0.5" y="0.5" width="${width + 1}" height="${height + 1}" fill="none" stroke="#ddd"/></svg>`
    return [
      { input: Buffer.from(picture.data), raw: { width, height, channels: 3 }, left, top },
      { input: Buffer.from(hairline), left: left - 1, top: top - 1 },
      { input: labelSvg(prompts[i]!, width), left, top: top + height + 4 },
    ]
  })
  const sheet = {
    width: gap + columns * cell.width,
    height: gap + Math.ceil(pictures.length / columns) * cell.height,
  }
  await sharp({ create: { ...sheet, channels: 3, background: '#fff' } })
    .composite(parts)
    .png({ compressionLevel: 9 })
    .toFile(path)
}

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: defaultModelFolder },
    output: { type: 'string', default: 'docs/pictures.png' },
    guidance: { type: 'string' },
    steps: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
})
await using pipeline = await load(flags.model)
const pictures: Picture[] = []
for (const prompt of prompts) {
  const { images } = await pipeline.generate({
    prompt,
    seed: Number(flags.seed),
    ...(flags.guidance !== undefined && { guidanceScale: Number(flags.guidance) }),
    ...(flags.steps !== undefined && { steps: Number(flags.steps) }),
  })
  pictures.push(images[0]!)
}
await writeSheet(pictures, flags.output)
