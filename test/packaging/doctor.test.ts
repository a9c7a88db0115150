// `tintype doctor` and `tintype build` as they are installed: with a binary, with none, with a damaged one, with one
// that was compiled by the user.

import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Diagnosis } from '../../lib/index.ts'
import { currentPlatform } from '../../lib/runtime/platform.ts'
import { expectSuccess } from './outcome.ts'
import { createUser } from './user.ts'

const user = createUser({ registry: inject('registry') })
afterAll(() => user.remove())

/** What dlopen or its inspection says of half a file. */
const damage = /cut short|too short|not a valid|invalid/

const platformPackage = `@tintype/${currentPlatform()}`
let project: string
beforeAll(async () => {
  project = user.project()
  expectSuccess(await user.run('npm', ['install', 'tintype', '--no-audit'], { cwd: project }))
})

async function doctor(env: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await user.run('npx', ['tintype', 'doctor', '--json'], {
    cwd: project,
    env,
  })
  expect(stderr).toBe('')
  return { code, found: JSON.parse(stdout) as Diagnosis }
}

describe('tintype doctor', () => {
  it('is content after npm install', async () => {
    const { code, found } = await doctor()
    expect(code).toBe(0)
    expect(found).toMatchObject({
      platform: currentPlatform(),
      prebuilt: true,
      addons: [
        { origin: 'build', state: 'refused', reason: 'no such file' },
        { name: platformPackage, state: 'chosen' },
      ],
      devices: [{ name: 'cpu' }],
    })
    const text = expectSuccess(await user.run('npx', ['tintype', 'doctor'], { cwd: project }))
    expect(text).toContain(`✓ ${platformPackage}: chosen: `)
    expect(text).toMatch(/^to do {7}\S/m)
  })

  it('tells of an instruction set that the machine does not have', async () => {
    const { code, found } = await doctor({ TINTYPE_ISA: 'sse9' })
    expect(code).toBe(1)
    expect(found.devices).toEqual([])
    expect(found.advice[0]).toContain('sse9')
  })

  it('says how to get a binary where none is', async () => {
    const file = join(project, 'node_modules', platformPackage, 'tintype.node')
    const bytes = readFileSync(file)
    rmSync(file)
    try {
      const { code, found } = await doctor()
      expect(code).toBe(1)
      expect(found.addons[1]).toMatchObject({ state: 'refused', reason: 'not installed' })
      expect(found.advice[0]).toContain('npx tintype build')

      writeFileSync(file, bytes.subarray(0, bytes.length / 2))
      const damaged = await doctor()
      expect(damaged.code).toBe(1)
      expect(damaged.found.addons[1]).toMatchObject({
        state: 'refused',
        reason: expect.stringMatching(damage),
      })
    } finally {
      writeFileSync(file, bytes)
    }
    expect((await doctor()).code).toBe(0)
  })
})

// A compilation takes a minute or two, and more beside others.
describe('tintype build', { timeout: 600_000 }, () => {
  it('says what it lacks, in one line, where there is no compiler', async () => {
    const { code, stdout, stderr } = await user.run('npx', ['tintype', 'build'], { cwd: project })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/cannot compile the native addon: none of cmake was found/)
    expect(stderr).toMatch(/^tintype: The native addon could not be compiled/m)
  })

  it('compiles an addon from the package, which is then chosen', async () => {
    const env = { PATH: process.env.PATH! }
    const built = await user.run('npx', ['tintype', 'build'], { cwd: project, env })
    const file = expectSuccess(built).trim()
    expect(file).toBe(join(project, 'node_modules/tintype/build/Release/tintype.node'))
    expect(statSync(file).size).toBeGreaterThan(100_000)
    const { code, found } = await doctor()
    expect(code).toBe(0)
    expect(found.addons).toMatchObject([
      { origin: 'build', state: 'chosen' },
      { name: platformPackage, state: 'usable' },
    ])
  })
})
