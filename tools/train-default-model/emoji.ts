// The pictures that the default model learns: Fluent Emoji (flat, MIT) at 128x128 with their words (emojibase, MIT).

import { createRequire } from 'node:module'

/** Pixels on each side. */
export const pictureSize = 128

/** One picture and its words. */
export interface Emoji {
  /** Its name with hyphens, as iconify has it. */
  readonly key: string
  readonly name: string
  readonly tags: readonly string[]
  readonly group: number
  readonly sub: string
  /** (128, 128, 4) bytes, premultiplied with alpha. */
  readonly rgba: Uint8Array
}

/** The packages that hold the pictures are not installed: tintype itself does not need them. */
export class PicturesNotInstalledError extends Error {
  override readonly name = 'PicturesNotInstalledError'

  constructor(cause: Error) {
    const command = 'npm install --prefix tools/train-default-model'
    super(`The pictures' packages are not installed. Run: ${command}`, { cause })
  }
}

interface Icon {
  readonly body: string
  readonly width?: number
  readonly height?: number
}

interface Words {
  readonly label: string
  readonly tags?: readonly string[]
  readonly group: number
  readonly subgroup: number
}

interface Packages {
  readonly icons: Readonly<Record<string, Icon>>
  readonly words: readonly Words[]
  readonly subgroups: Readonly<Record<number, string>>
  readonly Resvg: new (
    svg: string,
    options: object,
  ) => { render(): { readonly width: number; readonly height: number; readonly pixels: Uint8Array } }
}

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

function loadPackages(): Packages {
  const require = createRequire(import.meta.url)
  try {
    return {
      icons: require('@iconify-json/fluent-emoji-flat/icons.json').icons,
      words: require('emojibase-data/en/data.json'),
      subgroups: require('emojibase-data/meta/groups.json').subgroups,
      Resvg: require('@resvg/resvg-js').Resvg,
    }
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND'
    throw missing ? new PicturesNotInstalledError(error) : error
  }
}

/**
 * Renders all 973, in the order in which the icons are published.
 *
 * @throws PicturesNotInstalledError
 */
export function renderEmoji(): Emoji[] {
  const { icons, words, subgroups, Resvg } = loadPackages()
  const byLabel = new Map(words.map((w) => [w.label.replace(/[^a-z0-9]+/gi, '-').toLowerCase(), w]))
  const rendered: Emoji[] = []
  for (const [key, icon] of Object.entries(icons)) {
    const word = byLabel.get(key)
    if (!word || skipped.test(key) || !(groups.has(word.group) || extra.has(key))) continue
    const [width, height] = [icon.width ?? 32, icon.height ?? 32]
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${icon.body}</svg>`
    // an icon that is not square would come out at another size: it is left out
    const image = new Resvg(svg, { fitTo: { mode: 'width', value: pictureSize } }).render()
    if (image.width !== pictureSize || image.height !== pictureSize) continue
    rendered.push({
      key,
      name: key.replaceAll('-', ' '),
      tags: word.tags ?? [],
      group: word.group,
      sub: subgroups[word.subgroup]!,
      rgba: Uint8Array.from(image.pixels),
    })
  }
  return rendered
}
