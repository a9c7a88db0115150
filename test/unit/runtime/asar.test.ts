import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { unpackedPath } from '../../../lib/runtime/asar.ts'

const folder = mkdtempSync(join(tmpdir(), 'tintype-asar-'))
afterAll(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'app.asar.unpacked/models'), { recursive: true })

describe('unpackedPath', () => {
  it('is the folder beside the archive', () => {
    expect(unpackedPath(join(folder, 'app.asar/models'))).toBe(join(folder, 'app.asar.unpacked/models'))
  })

  it.each(['app.asar/other', 'app.asar.unpacked/models', 'app/models', 'my.asarium/models'])(
    'is %s itself where nothing was unpacked',
    (path) => {
      expect(unpackedPath(join(folder, path))).toBe(join(folder, path))
    },
  )
})
