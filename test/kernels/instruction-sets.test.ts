// The same cases under every other instruction set that this machine has: each needs a process of its own, since the
// kernels are chosen when the addon loads.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { devices } from '../../lib/runtime/device.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const cases = [
  'linear',
  'large-results',
  'contraction',
  'strassen',
  'conv2d',
  'winograd',
  'channel-moments',
  'int8',
  'bf16',
  'ops',
  'token-merging',
].map((name) => `test/kernels/${name}.test.ts`)

const [cpu] = devices()
const others = cpu!.isas.filter((isa) => isa !== cpu!.isa)
const known = process.arch === 'x64' ? ['baseline', 'avx2', 'avx512'] : ['neon']
for (const isa of known.filter((name) => !cpu!.isas.includes(name))) {
  console.warn(`kernels for ${isa} are not tested: this machine lacks it`)
}

describe.runIf(process.env.TINTYPE_ISA === undefined && others.length > 0)('kernels', () => {
  it.each(others)('for %s', { timeout: 600_000 }, async (isa) => {
    const env = { ...process.env, TINTYPE_ISA: isa }
    const args = [vitest, 'run', '--project', 'kernels', '--reporter', 'json', ...cases]
    const run = promisify(execFile)(process.execPath, args, { cwd: root, env, maxBuffer: 2 ** 26 })
    // A run with failures rejects, with the report in stdout all the same.
    const { stdout } = await run.catch((error: { stdout: string }) => error)
    const report = JSON.parse(stdout.slice(stdout.indexOf('{"num')))
    const files: { assertionResults: { status: string; fullName: string }[] }[] = report.testResults
    const failed = files.flatMap((file) => file.assertionResults.filter(({ status }) => status === 'failed'))
    expect(failed.map(({ fullName }) => fullName)).toEqual([])
    expect(report.numPassedTests).toBeGreaterThan(400)
  })
})
