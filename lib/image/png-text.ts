// Text in PNG files (PNG specification, third edition, section 11.3.3): written as A1111 does, read with care.

import { crc32, inflateSync } from 'node:zlib'
import { invalid } from '../check-options.ts'
import { showArgument } from '../show.ts'

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** Length, type and checksum around the data of a chunk. */
const overhead = 12
/** The first chunk, IHDR, always has 13 bytes of data. */
const headerEnd = signature.length + overhead + 13
/** Of all compressed texts together: a hundred of 16 KB each could be as many times 16 MB. */
const mostText = 2 ** 24

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  body.copy(out, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}

/** A NUL would end the text early, for every reader. */
const withoutNul = (text: string) => text.replaceAll('\0', ' ')

/** Puts a text chunk behind the header: `tEXt` for Latin-1, `iTXt` for everything else. */
export function insertPngText(png: Buffer, keyword: string, text: string): Buffer {
  const clean = withoutNul(text)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of Latin-1
  const isLatin1 = /^[\x01-\xff]*$/.test(clean)
  const data = isLatin1
    ? Buffer.concat([Buffer.from(`${keyword}\0`, 'latin1'), Buffer.from(clean, 'latin1')])
    : Buffer.concat([Buffer.from(`${keyword}\0\0\0\0\0`, 'latin1'), Buffer.from(clean, 'utf8')])
  return Buffer.concat([
    png.subarray(0, headerEnd),
    chunk(isLatin1 ? 'tEXt' : 'iTXt', data),
    png.subarray(headerEnd),
  ])
}

function decodeInternational(rest: Buffer, most: number): string | undefined {
  // compressed?, method, language NUL, translated keyword NUL, text
  const language = rest.indexOf(0, 2)
  const translated = language < 0 ? -1 : rest.indexOf(0, language + 1)
  if (translated < 0) return undefined
  const text = rest.subarray(translated + 1)
  if (rest[0] === 0) return text.toString('utf8')
  try {
    return inflateSync(text, { maxOutputLength: Math.max(1, most) }).toString('utf8')
  } catch {
    return undefined
  }
}

function decodeText(type: string, data: Buffer, most: number): [string, string] | undefined {
  const end = data.indexOf(0)
  if (end < 1) return undefined
  const keyword = data.toString('latin1', 0, end)
  const rest = data.subarray(end + 1)
  const text = type === 'tEXt' ? rest.toString('latin1') : decodeInternational(rest, most)
  return text === undefined ? undefined : [keyword, text]
}

/**
 * The texts of a PNG file by keyword; empty for anything else. Damaged chunks, and compressed texts of more than 16 MB
 * in all, end the search.
 *
 * @throws TintypeError `INVALID_ARGUMENT` for what is no bytes
 */
export function readPngText(png: Uint8Array): ReadonlyMap<string, string> {
  if (!(png instanceof Uint8Array)) {
    throw invalid(`readPngText() takes the bytes of a file as a Uint8Array, got ${showArgument(png)}.`)
  }
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength)
  const texts = new Map<string, string>()
  if (!bytes.subarray(0, signature.length).equals(signature)) return texts
  let most = mostText
  for (let at = signature.length; at + overhead <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (at + overhead + length > bytes.length) break
    if (type === 'tEXt' || type === 'iTXt') {
      const found = decodeText(type, bytes.subarray(at + 8, at + 8 + length), most)
      if (!found) break
      texts.set(...found)
      most -= found[1].length
    }
    at += overhead + length
  }
  return texts
}
