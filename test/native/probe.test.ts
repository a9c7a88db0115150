// Programs that are no Node, though `process.execPath` names them: Electron apps without the fuse RunAsNode, single
// executables. A test load starts the app again there, which must end at once and be told from a module that crashes.

import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { buildSync } from 'esbuild'
import { expect, it } from 'vitest'
import { candidates } from '../../lib/runtime/candidates.ts'
import { temporaryFolder } from './plans.ts'

const folder = temporaryFolder()
const addon = candidates().find(({ file }) => file !== undefined)!.file!
const starts = join(folder, 'starts')

/** An executable that runs an app and looks at no argument; the app tests an addon, as long as it was started so often. */
function packedApp(): string {
  const program = join(folder, 'app')
  const bundle = join(folder, 'app.cjs')
  buildSync({
    stdin: {
      resolveDir: resolve('.'),
      contents: `
        import { appendFileSync, readFileSync } from 'node:fs'
        import { probe } from './lib/runtime/probe.ts'
        process.execPath = ${JSON.stringify(program)}
        appendFileSync(${JSON.stringify(starts)}, '.')
        if (readFileSync(${JSON.stringify(starts)}, 'utf8').length < 5)
          console.log(JSON.stringify(probe(${JSON.stringify(addon)})))`,
    },
    ...{ bundle: true, platform: 'node', format: 'cjs', outfile: bundle, logLevel: 'error' },
  })
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${bundle}'\n`)
  chmodSync(program, 0o755)
  return program
}

it.runIf(process.platform !== 'win32')('an app that is started again as if it were Node ends there', () => {
  const program = packedApp()
  const first = spawnSync(program, { encoding: 'utf8' })
  expect(JSON.parse(first.stdout)).toEqual({
    loads: false,
    reason: `could not be tested: ${program} did not run as Node (exit code 0)`,
  })
  expect(readFileSync(starts, 'utf8')).toBe('..')
  const second = spawnSync(program, { encoding: 'utf8', env: { ...process.env, TINTYPE_PROBE: '1' } })
  expect(JSON.parse(second.stdout).reason).toMatch(/^could not be tested: TINTYPE_PROBE is set/)
  expect(readFileSync(starts, 'utf8')).toBe('...')
})
