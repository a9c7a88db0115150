// A folder of its own for each test file.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'

/** Makes the folder before the tests of a file and removes it after them; the result joins names to its path. */
export function temporaryFolder(): (...names: string[]) => string {
  let root = ''
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'tintype-weights-'))
  })
  afterAll(() => rm(root, { recursive: true, force: true }))
  return (...names) => join(root, ...names)
}
