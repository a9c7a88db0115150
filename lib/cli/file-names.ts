// Where pictures go: the name that was given, numbered where there are several, or one made of prompt and seed.

import { access, constants, stat } from 'node:fs/promises'
import { dirname, extname, join, resolve, sep } from 'node:path'
import { TintypeError } from '../errors.ts'

const longestSlug = 48
/** What file systems take is 255; a seed, a number and the extension come after it. */
const mostBytes = 220

/**
 * `A red apple, on snow!` becomes `a-red-apple-on-snow`. Accents of Latin, Greek and Cyrillic letters go; the marks of other scripts
 * are what tells words apart.
 */
export function slug(prompt: string): string {
  const words = prompt
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .match(/[\p{L}\p{M}\p{N}]+/gu)
  const letters = [...new Intl.Segmenter().segment((words ?? []).join('-'))].map(({ segment }) => segment)
  let name = ''
  for (const letter of letters.slice(0, longestSlug)) {
    // Marks make a letter of as many bytes as they like.
    if (Buffer.byteLength(name + letter) > mostBytes) break
    name += letter
  }
  return name.replace(/-+$/, '') || 'picture'
}

/**
 * One path for each picture: `apple.png` for one, `apple-1.png`, `apple-2.png`, ... for several.
 *
 * @param output what `-o` says, if anything
 */
export function outputPaths(
  output: string | undefined,
  pictures: readonly { readonly prompt: string; readonly seed: bigint }[],
): string[] {
  const first = pictures[0]
  const base = output ?? (first ? `${slug(first.prompt)}-${first.seed}.png` : '')
  if (pictures.length <= 1) return pictures.map(() => base)
  const extension = extname(base)
  const stem = base.slice(0, base.length - extension.length)
  const digits = String(pictures.length).length
  return pictures.map((_, i) => `${stem}-${String(i + 1).padStart(digits, '0')}${extension}`)
}

/**
 * Whether pictures can be written there, asked before they are painted, which may take minutes.
 *
 * @param output what `-o` says, if anything
 * @throws TintypeError `IO`
 */
export async function checkFolder(output: string | undefined): Promise<void> {
  const folder = dirname(output ?? '.')
  try {
    // What ends in a separator must be a folder.
    await access(`${folder}${sep}`, constants.W_OK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const missing = code === 'ENOENT' || code === 'ENOTDIR'
    const wrong = missing ? `there is no folder ${folder}` : `nothing can be written to ${resolve(folder)}`
    throw new TintypeError('IO', `${output ?? 'The picture'} cannot be written: ${wrong} (${code}).`, {
      advice: missing ? 'Make the folder first.' : 'Check permissions, or name another folder with -o.',
      cause,
    })
  }
  if (output !== undefined && (await isFolder(output))) {
    throw new TintypeError('IO', `${output} cannot be written: it names a folder.`, {
      advice: `Name a file in it: -o ${join(output, 'picture.png')}`,
    })
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => path.endsWith('/') || path.endsWith(sep),
  )
