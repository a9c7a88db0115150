// Pipes, devices and huge files where files of a model or a picture should be: refused at once by whoever reads them.

import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { cp, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { readImage } from '../../lib/image/input.ts'
import { readJson } from '../../lib/json-file.ts'
import { readRegularFile } from '../../lib/regular-file.ts'
import { readTokenizerFolder } from '../../lib/tokenizer/folder.ts'
import { readWeightFiles } from '../../lib/weights/folder.ts'
import { temporaryFolder } from './weights/temporary-folder.ts'

const root = temporaryFolder()
beforeEach(() => cp('models/default/tokenizer', root('tokenizer'), { recursive: true }))

const place = async (file: string) => {
  const path = root(file)
  await rm(path, { force: true })
  await mkdir(dirname(path), { recursive: true })
  return path
}

/** Ends what waits for a writer, so that a failure does not keep the process. */
function wakeReaders(pipe: string): void {
  try {
    closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK))
  } catch {
    // ENXIO: nobody waits.
  }
}

const tokenizerFile = (name: string) => ({
  file: `tokenizer/${name}`,
  read: (path: string) => readTokenizerFolder(dirname(path)),
  code: 'MODEL_NOT_FOUND',
})
const weightFile = (name: string) => ({
  file: `${name.replaceAll('.', '-')}/${name}`,
  read: (path: string) => readWeightFiles(dirname(path)),
  code: 'INVALID_WEIGHTS',
})
const places: readonly {
  readonly file: string
  readonly read: (path: string) => Promise<unknown>
  readonly code: string
  /** What is more than any file of its kind has. */
  readonly tooMany?: number
}[] = [
  { file: 'config.json', read: readJson, code: 'MODEL_NOT_FOUND', tooMany: 2 ** 22 + 1 },
  { ...tokenizerFile('vocab.json'), tooMany: 2 ** 25 + 1 },
  { ...tokenizerFile('merges.txt'), tooMany: 2 ** 25 + 1 },
  { ...tokenizerFile('tokenizer_config.json'), tooMany: 2 ** 21 + 1 },
  { ...tokenizerFile('special_tokens_map.json'), tooMany: 2 ** 21 + 1 },
  { ...weightFile('model.safetensors.index.json'), tooMany: 2 ** 25 + 1 },
  weightFile('model.safetensors'),
  { file: 'init.png', read: (path) => readImage(path), code: 'INVALID_IMAGE', tooMany: 3 * 2 ** 28 + 1 },
]

describe.each(places)('$file', ({ file, read, code, tooMany }) => {
  const refused = { code, message: expect.stringMatching(/is (no regular|not a) file/) }

  it.skipIf(process.platform === 'win32')('as a pipe that nobody writes to', async () => {
    const path = await place(file)
    execFileSync('mkfifo', [path])
    try {
      const late = setTimeout(5000, 'it waits', { ref: false })
      await expect(Promise.race([read(path), late])).rejects.toMatchObject(refused)
    } finally {
      wakeReaders(path)
    }
  })
  // /dev/zero would show the same, and take all memory where it is read.
  it.skipIf(process.platform === 'win32')('as a device', async () => {
    const path = await place(file)
    await symlink('/dev/null', path)
    await expect(read(path)).rejects.toMatchObject(refused)
  })
  it.skipIf(tooMany === undefined)('with more bytes than its kind has', async () => {
    const path = await place(file)
    await writeFile(path, '')
    await truncate(path, tooMany)
    await expect(read(path)).rejects.toMatchObject({ message: expect.stringContaining(`${tooMany} bytes`) })
  })
})

describe('readRegularFile', () => {
  const rules = {
    mostBytes: 2 ** 20,
    tooLarge: () => new Error('large'),
    notAFile: () => new Error('no file'),
  }

  it('gives all bytes, through links too', async () => {
    const path = root('tokenizer/merges.txt')
    await symlink(path, await place('link'))
    expect((await readRegularFile(root('link'), rules)).equals(await readFile(path))).toBe(true)
  })
  it('gives the error of the system for what is missing', async () => {
    await expect(readRegularFile(root('missing'), rules)).rejects.toMatchObject({ code: 'ENOENT' })
  })
  it.skipIf(process.platform !== 'linux')('reads no more than a file says that it has', async () => {
    // Gigabytes, in a file of 0 bytes.
    expect(await readRegularFile('/proc/self/pagemap', rules)).toHaveLength(0)
  })
})
