// A process that may have less of the machine than there is: fewer threads, less memory.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { addAndDouble, type HandPlan, temporaryFolder, words } from './plans.ts'

const script = fileURLToPath(new URL('children/limited.mjs', import.meta.url))
const has = (tool: string) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0

/** Runs children/limited.mjs. */
function runLimited(plan: HandPlan, more: { readonly threads: number; readonly room: number }) {
  const file = join(temporaryFolder(), 'job.json')
  const sizes = (space: string) =>
    plan.values.filter((value) => value.space === space).map(({ bytes }) => bytes / 4)
  const job = { words: [...words(plan)], inputs: sizes('input'), outputs: sizes('output'), ...more }
  writeFileSync(file, JSON.stringify(job))
  const { stdout, stderr } = spawnSync(process.execPath, [script, file], {
    encoding: 'utf8',
    timeout: 100_000,
  })
  expect(stderr).toBe('')
  return JSON.parse(stdout) as { code?: string; message?: string; begun?: number; outputs?: number[][] }
}

describe.skipIf(process.platform !== 'linux' || !has('prlimit'))('a process with a limit', () => {
  it('of threads computes with those that it gets', () => {
    // The stack of a thread takes 2 MiB of addresses or more.
    const { begun, outputs } = runLimited(addAndDouble(2 ** 20), { threads: 256, room: 2 ** 27 })
    expect(begun).toBeLessThan(255)
    expect(outputs).toEqual([[6]])
  })

  it('of memory is told so, and not that there is too little', () => {
    const arenaBytes = 2 ** 29
    const { code, message } = runLimited({ ...addAndDouble(16), arenaBytes }, { threads: 1, room: 2 ** 27 })
    expect(code).toBe('OUT_OF_MEMORY')
    expect(message).toMatch(/needs 512.0 MiB of memory, [\d.]+ [MG]iB are available, but .* limit/)
  })
})
