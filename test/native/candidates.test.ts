// Addons that would end the process if they were loaded: refused beforehand, or tried in a child process.

import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { candidates, danger, findInPackage, packageRoot } from '../../lib/runtime/candidates.ts'
import { diagnose } from '../../lib/runtime/diagnose.ts'
import { currentLibc, currentPlatform } from '../../lib/runtime/platform.ts'
import { probe } from '../../lib/runtime/probe.ts'
import { errorOf, temporaryFolder } from './plans.ts'

const folder = temporaryFolder()
const addon = candidates().find(({ file }) => file !== undefined)!.file!

/** A file in the test's folder. */
function made(name: string, make: (file: string) => void): string {
  const file = join(folder, name)
  make(file)
  return file
}

const cutShort = made('cut-short.node', (file) => {
  const bytes = readFileSync(addon)
  writeFileSync(file, bytes.subarray(0, bytes.length / 2))
})
const ofMusl = made('of-musl.node', (file) => {
  copyFileSync(addon, file)
  appendFileSync(file, '\0libc.musl-x86_64.so.1\0')
})
const crashing = made('crashing.node', (file) => writeFileSync(file, ''))

afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
})

/** The error of a process that has no other addon than this one. */
async function errorWith(file: string) {
  vi.stubEnv('TINTYPE_ADDON', file)
  vi.resetModules()
  const { devices } = await import('../../lib/runtime/device.ts')
  return errorOf(() => devices())
}

describe('the candidates', () => {
  it('are what was compiled here, then the package of the platform', () => {
    const names = candidates().map(({ origin, name }) => `${origin} ${name}`)
    expect(names).toEqual([
      `build ${join(packageRoot()!, 'build/Release/tintype.node')}`,
      `package @tintype/${currentPlatform()}`,
    ])
  })

  it('are one only where the environment names it', () => {
    vi.stubEnv('TINTYPE_ADDON', addon)
    expect(candidates()).toEqual([{ origin: 'environment', name: addon, file: addon }])
  })

  it('lie in packages that are found from the folder of this one', () => {
    expect(findInPackage('zod', 'package.json')).toBe(join(packageRoot()!, 'node_modules/zod/package.json'))
    expect(findInPackage('@tintype/no-such-platform', 'tintype.node')).toBeUndefined()
  })
})

describe.runIf(currentLibc() === 'glibc')('a dangerous addon', () => {
  it('is no addon that was linked here', () => expect(danger(addon)).toBe('no'))

  it.each([
    [cutShort, /cut-short.node: cut short: \d+ bytes, expected \d+/],
    [ofMusl, /of-musl.node: linked against musl, and this process runs on glibc/],
    [
      made('addon.txt', (file) => writeFileSync(file, '0')),
      /addon.txt: expected a file whose name ends in .node/,
    ],
  ])('is refused before it is loaded: %s', async (file, message) => {
    expect(await errorWith(file)).toMatchObject({
      code: 'ADDON_NOT_FOUND',
      message: expect.stringMatching(message),
    })
  })

  it('is not known when it names no libc', () => {
    const text = readFileSync(addon, 'latin1').replaceAll('\0libc.so.6\0', '\0libcxso.6\0')
    const unknown = made('unknown.node', (file) => writeFileSync(file, text, 'latin1'))
    expect(danger(unknown)).toBe('unknown')
  })
})

describe('a test load', () => {
  it('names the devices of an addon that loads', () => {
    expect(probe(addon)).toMatchObject({ loads: true, devices: [{ name: 'cpu' }] })
  })

  it('says why an addon does not load', () => {
    expect(probe(crashing)).toMatchObject({
      loads: false,
      reason: expect.stringMatching(/too short|not a valid/),
    })
  })

  it.runIf(currentLibc() === 'glibc')('survives an addon that ends its process', () => {
    expect(probe(cutShort)).toMatchObject({
      loads: false,
      reason: expect.stringMatching(/^ends the process that loads it \(SIG[A-Z]+\)$/),
    })
  })
})

describe('a diagnosis', () => {
  it('tells what was chosen, what was refused, and that all is well', () => {
    const { addons, devices, embeddedModel, platform } = diagnose()
    expect(addons).toMatchObject([
      { origin: 'build', state: 'chosen', isas: devices[0]!.isas },
      { name: `@tintype/${platform}`, state: 'refused', reason: 'not installed' },
    ])
    expect(embeddedModel!.bytes).toBeGreaterThan(1e6)
  })

  it('throws nothing where no addon loads, and says what to do', async () => {
    vi.stubEnv('TINTYPE_ADDON', crashing)
    vi.resetModules()
    const fresh = await import('../../lib/runtime/diagnose.ts')
    const { addons, devices, advice } = fresh.diagnose()
    expect(addons).toMatchObject([{ origin: 'environment', state: 'refused' }])
    expect(devices).toEqual([])
    expect(advice[0]).toContain(`it is ${crashing}`)
  })
})
