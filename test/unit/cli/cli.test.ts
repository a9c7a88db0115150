// The parts of the command line that need no model: words to values, file names, progress.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  parseInterval,
  parseNumber,
  parseSeed,
  parseSize,
  parseSwitch,
  parseThreshold,
} from '../../../lib/cli/arguments.ts'
import { checkFolder, outputPaths, slug } from '../../../lib/cli/file-names.ts'
import { formatSeconds, formatStep, progressOn } from '../../../lib/cli/progress.ts'

describe('arguments', () => {
  it('reads sizes', () => {
    expect(parseSize('512')).toEqual({ width: 512, height: 512 })
    expect(parseSize('640x384')).toEqual({ width: 640, height: 384 })
    expect(() => parseSize('big')).toThrow('WIDTHxHEIGHT')
    expect(() => parseSize('5x')).toThrow('WIDTHxHEIGHT')
  })

  it('reads seeds beyond 2^53', () => {
    expect(parseSeed('18446744073709551615')).toBe(2n ** 64n - 1n)
    expect(() => parseSeed('-1')).toThrow('integer')
    expect(() => parseSeed('1.5')).toThrow('integer')
  })

  it('reads numbers', () => {
    expect(parseNumber('7.5')).toBe(7.5)
    expect(() => parseNumber('')).toThrow('Expected a number')
    expect(() => parseNumber('many')).toThrow('Expected a number')
  })

  it('reads thresholds', () => {
    expect(parseThreshold('0.995')).toEqual({ percentile: 0.995 })
    expect(parseThreshold('0.9,2')).toEqual({ percentile: 0.9, max: 2 })
    expect(() => parseThreshold('1,2,3')).toThrow('PERCENTILE')
  })

  it('reads intervals', () => {
    expect(parseInterval('0.2,0.8')).toEqual([0.2, 0.8])
    for (const text of ['0.2', '0,1,2', '0,x']) expect(() => parseInterval(text)).toThrow(/Expected/)
  })

  it('reads switches', () => {
    expect(['auto', 'on', 'off'].map(parseSwitch)).toEqual(['auto', true, false])
    expect(() => parseSwitch('true')).toThrow('auto, on or off')
  })
})

describe('file names', () => {
  it.each([
    ['A red apple, on snow!', 'a-red-apple-on-snow'],
    ['Crème brûlée', 'creme-brulee'],
    ['猫 🐈', '猫'],
    ['ガラス', 'ガラス'],
    ['सेब', 'सेब'],
    ['사과', '사과'],
    ['सेब'.repeat(30), 'सेब'.repeat(24)],
    ['से'.repeat(48), 'से'.repeat(36)],
    [`से${'\u0941'.repeat(100)}`, 'picture'],
    ['../../etc/passwd', 'etc-passwd'],
    ['', 'picture'],
    ['word '.repeat(50), `${'word-'.repeat(9)}wor`],
  ])('makes a name of %o', (prompt, name) => {
    expect(slug(prompt)).toBe(name)
  })

  const apple = { prompt: 'red apple', seed: 7n }
  it('numbers several pictures', () => {
    expect(outputPaths('a.png', [apple])).toEqual(['a.png'])
    expect(outputPaths('dir.d/a.png', [apple, apple])).toEqual(['dir.d/a-1.png', 'dir.d/a-2.png'])
    expect(outputPaths(undefined, [apple])).toEqual(['red-apple-7.png'])
    expect(outputPaths(undefined, Array(10).fill(apple))[8]).toBe('red-apple-7-09.png')
    expect(outputPaths('a.png', [])).toEqual([])
  })
})

describe('the folder of pictures', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tintype-output-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('is one that can be written to', async () => {
    await checkFolder(undefined)
    await checkFolder('apple.png')
    await checkFolder(join(folder, 'apple.png'))
  })

  it('is asked for where it is missing, and where it is a file', async () => {
    writeFileSync(join(folder, 'file'), '')
    for (const [name, code] of [
      ['none', 'ENOENT'],
      ['file', 'ENOTDIR'],
    ] as const) {
      const output = join(folder, name, 'apple.png')
      const message = `${output} cannot be written: there is no folder ${join(folder, name)} (${code}). Make the folder first.`
      await expect(checkFolder(output)).rejects.toMatchObject({ code: 'IO', message })
    }
  })

  it('is no picture itself', async () => {
    const output = join(folder, 'folder.png')
    mkdirSync(output)
    for (const name of [output, `${output}/`, `${join(folder, 'none.png')}/`]) {
      await expect(checkFolder(name)).rejects.toMatchObject({
        code: 'IO',
        message: `${name} cannot be written: it names a folder. Name a file in it: -o ${join(name, 'picture.png')}`,
      })
    }
  })

  // Root may write everywhere, and Windows has no such mode.
  it.runIf((process.getuid?.() ?? 0) !== 0)('is refused where it is read-only', async () => {
    chmodSync(folder, 0o555)
    await expect(checkFolder(join(folder, 'apple.png'))).rejects.toThrow(/nothing can be written to .*EACCES/)
    chmodSync(folder, 0o755)
  })
})

describe('progress', () => {
  const step = { type: 'step', step: 5, steps: 20, sigma: 1, elapsedMs: 6000 } as const

  it.each([
    [400, '0.4 s'],
    [12_300, '12 s'],
    [185_000, '3:05'],
    [99_400, '99 s'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatSeconds(ms)).toBe(text)
  })

  it('tells what is left, as wide as the terminal allows', () => {
    expect(formatStep(step, 1000, 60)).toBe('[#######----------------------] 5/20  1.0 s/step  15 s left')
    for (const columns of [10, 20, 40, 80, 200]) {
      expect(formatStep(step, 1000, columns).length).toBeLessThanOrEqual(columns)
    }
  })

  const record = (isTTY: boolean, columns = 80) => {
    let text = ''
    const progress = progressOn({ isTTY, columns, write: (more: string) => (text += more) })
    progress.report({ type: 'stage', stage: 'denoise', elapsedMs: 0 })
    for (let i = 1; i <= 100; i++) progress.report({ ...step, step: i, steps: 100, elapsedMs: i * 10 })
    progress.end()
    return text
  }

  it('redraws one line on a terminal and cleans it up', () => {
    expect(record(true)).not.toContain('\n')
    expect(record(true).endsWith('\r\x1b[K')).toBe(true)
  })

  it('shows itself on a terminal that does not know its width', () => {
    expect(record(true, 0)).toBe(record(true))
  })

  it('writes about ten lines to a log', () => {
    expect(record(false).trim().split('\n')).toHaveLength(10)
  })
})
