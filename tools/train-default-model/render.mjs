// Renders Fluent Emoji (flat, MIT) to raw RGBA and writes the words for each picture (emojibase, MIT).
// usage: node render.mjs [WORK]    to WORK/data/rgba.bin (N x 128 x 128 x 4, u8, premultiplied) and WORK/data/meta.json
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Resvg } from '@resvg/resvg-js'

const require = createRequire(import.meta.url)
const size = 128
const { icons } = require('@iconify-json/fluent-emoji-flat/icons.json')
const words = require('emojibase-data/en/data.json')
const { subgroups } = require('emojibase-data/meta/groups.json')

// faces, animals, food, travel, activities, objects; of people, symbols and flags only the extra ones below
const groups = new Set([0, 3, 4, 5, 6, 7])
const extra = new Set(
  `robot santa-claus ninja astronaut thumbs-up thumbs-down waving-hand eye eyes brain bone tooth red-circle blue-circle
  green-circle yellow-circle purple-circle orange-circle black-circle brown-circle red-square blue-square green-square
  yellow-square purple-square orange-square brown-square check-mark cross-mark red-question-mark red-exclamation-mark
  yin-yang footprints man-superhero woman-mage mage princess prince`.split(/\s+/),
)
// near-doubles of others, and pictures that mean nothing without the name
const skipped = new RegExp(
  `-thirty$|^(${`chart-increasing-with-yen map-of-japan love-letter eye-in-speech-bubble left-speech-bubble
  dotted-line-face card-index-dividers incoming-envelope outbox-tray inbox-tray japanese-post-office love-hotel hotel
  oncoming-police-car oncoming-taxi kaaba hamsa linked-paperclips speaker-medium-volume speaker-low-volume muted-speaker
  bell-with-slash placard .*-mailbox-with-.* sun-behind-(large|small)-cloud tanabata-tree moon-viewing-ceremony
  pine-decoration carp-streamer flower-playing-cards mahjong-red-dragon identification-card yen-banknote pound-banknote
  euro-banknote head-shaking-.* videocassette mobile-phone-with-arrow .*-gibbous-moon service-dog guide-dog`
    .split(/\s+/)
    .join('|')})$`,
)

const byLabel = new Map(words.map((w) => [w.label.replace(/[^a-z0-9]+/gi, '-').toLowerCase(), w]))
const meta = []
const pictures = []
for (const [key, icon] of Object.entries(icons)) {
  const word = byLabel.get(key)
  if (!word || skipped.test(key) || !(groups.has(word.group) || extra.has(key))) continue
  const [width, height] = [icon.width ?? 32, icon.height ?? 32]
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${icon.body}</svg>`
  // an icon that is not square would come out at another size: it is left out
  const image = new Resvg(svg, { fitTo: { mode: 'width', value: size } }).render()
  if (image.width !== size || image.height !== size) continue
  pictures.push(Buffer.from(image.pixels))
  meta.push({
    key,
    name: key.replaceAll('-', ' '),
    tags: word.tags ?? [],
    group: word.group,
    sub: subgroups[word.subgroup],
  })
}

const out = join(process.argv[2] ?? 'work', 'data')
mkdirSync(out, { recursive: true })
writeFileSync(join(out, 'rgba.bin'), Buffer.concat(pictures))
writeFileSync(join(out, 'meta.json'), JSON.stringify(meta))
console.log(meta.length, 'pictures')
