// Text chunks: in, out, and around damage.

import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { insertPngText, readPngText } from '../../../lib/image/png-text.ts'

const png = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
  .png()
  .toBuffer()

describe('PNG text', () => {
  it.each(['red apple', 'Äpfel: "ja"\nSteps: 20', '猫 🐈', '', 'x'.repeat(1e6)])(
    'comes back (%#)',
    async (text) => {
      const written = insertPngText(png, 'parameters', text)
      expect(readPngText(written).get('parameters')).toBe(text)
      // A decoder that checks every checksum still reads the picture.
      const { data } = await sharp(written, { failOn: 'warning' }).raw().toBuffer({ resolveWithObject: true })
      expect([...data.subarray(0, 3)]).toEqual([255, 0, 0])
    },
  )

  it('keeps NUL out, which would end the text', () => {
    expect(readPngText(insertPngText(png, 'parameters', 'a\0b')).get('parameters')).toBe('a b')
  })

  it('writes Latin-1 as tEXt, all else as iTXt', () => {
    expect(insertPngText(png, 'parameters', 'é').includes('tEXt')).toBe(true)
    expect(insertPngText(png, 'parameters', '猫').includes('iTXt')).toBe(true)
  })

  it('reads compressed text', () => {
    const data = Buffer.concat([Buffer.from('parameters\0\x01\0\0\0', 'latin1'), deflateSync('hidden')])
    expect(readPngText(withChunk('iTXt', data)).get('parameters')).toBe('hidden')
    const broken = Buffer.concat([Buffer.from('parameters\0\x01\0\0\0', 'latin1'), Buffer.from('no zlib')])
    expect(readPngText(withChunk('iTXt', broken)).size).toBe(0)
  })

  it('inflates no more than 16 MB in all', () => {
    const compressed = deflateSync(Buffer.alloc(9 * 2 ** 20, 'a'))
    const texts = ['first', 'second', 'third'].map((keyword) =>
      chunk('iTXt', Buffer.concat([Buffer.from(`${keyword}\0\x01\0\0\0`, 'latin1'), compressed])),
    )
    expect([...readPngText(withChunks(...texts)).keys()]).toEqual(['first'])
  })

  it.each([undefined, 'apple.png', new ArrayBuffer(8)])('refuses %o', (png) => {
    expect(() => readPngText(png as never)).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('takes the bytes of a file'),
      }),
    )
  })

  it('survives damage', () => {
    const written = insertPngText(png, 'parameters', '猫')
    for (let length = 0; length < written.length; length++) readPngText(written.subarray(0, length))
    for (let at = 8; at < 80; at++) {
      const damaged = Buffer.from(written)
      damaged[at] = damaged[at]! ^ 0xff
      readPngText(damaged)
    }
    expect(readPngText(Buffer.from('no picture')).size).toBe(0)
    expect(readPngText(withChunk('tEXt', Buffer.from('no end'))).size).toBe(0)
  })
})

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const numbers = Buffer.alloc(8)
  numbers.writeUInt32BE(data.length, 0)
  numbers.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([numbers.subarray(0, 4), body, numbers.subarray(4)])
}

const withChunks = (...chunks: Buffer[]): Buffer =>
  Buffer.concat([png.subarray(0, 33), ...chunks, png.subarray(33)])

const withChunk = (type: string, data: Buffer): Buffer => withChunks(chunk(type, data))
