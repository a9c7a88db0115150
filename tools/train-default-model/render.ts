// Writes the pictures and their words for the training scripts.
// usage: npx tsx render.ts [WORK]    to WORK/data/rgba.bin (N x 128 x 128 x 4, u8, premultiplied) and WORK/data/meta.json

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderEmoji } from './emoji.ts'

const out = join(process.argv[2] ?? 'work', 'data')
const rendered = renderEmoji()
mkdirSync(out, { recursive: true })
writeFileSync(join(out, 'rgba.bin'), Buffer.concat(rendered.map(({ rgba }) => rgba)))
writeFileSync(join(out, 'meta.json'), JSON.stringify(rendered.map(({ rgba, ...words }) => words)))
console.log(rendered.length, 'pictures')
