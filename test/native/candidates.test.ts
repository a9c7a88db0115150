// Addons that would end the process if they were loaded: refused beforehand, or tried in a child process.

import { appendFileSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { howToGetOne, objection } from '../../lib/runtime/binding.ts'
import {
  candidates,
  danger,
  findInPackage,
  packageNames,
  packageRoot,
  packageVersion,
} from '../../lib/runtime/candidates.ts'
import { tryCuda } from '../../lib/runtime/cuda-binding.ts'
import { diagnose } from '../../lib/runtime/diagnose.ts'
import { currentLibc, currentPlatform, platforms } from '../../lib/runtime/platform.ts'
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

describe('the binary of a package', () => {
  const packed = (version: string) =>
    made(`version-${version}/tintype.node`, (file) => {
      mkdirSync(dirname(file))
      copyFileSync(addon, file)
      writeFileSync(join(dirname(file), 'package.json'), JSON.stringify({ version }))
    })
  const packageOf = (file: string) => objection({ origin: 'package', name: '@tintype/x', file })

  it('is of the version of tintype', () => {
    expect(packageOf(packed(packageVersion()!))).toBeUndefined()
    expect(packageOf(packed('9.9.9'))).toEqual({
      reason: `is version 9.9.9, expected ${packageVersion()}`,
    })
  })
})

describe('what to do where none loads', () => {
  it.each(['linux-riscv64', 'win32-arm64', 'freebsd-x64'])('%s is told to compile', (platform) => {
    expect(howToGetOne(platform)).toMatch(
      new RegExp(`^There is no prebuilt binary for ${platform}; .npx tintype build. .*npx tintype doctor`),
    )
  })

  it.each(platforms)('$key is told of its package', ({ key }) => {
    expect(howToGetOne(key)).toMatch(
      new RegExp(`@tintype/${key} .*omit=optional.*npx tintype build.*npx tintype doctor`),
    )
  })
})

describe('the CUDA backend', () => {
  it('is what was compiled here, then the package of the platform, where there is one', () => {
    const names = candidates('tintype_cuda').map(({ origin, name }) => `${origin} ${name}`)
    const built = `build ${join(packageRoot()!, 'build/Release/tintype_cuda.node')}`
    const published = currentPlatform() === 'linux-x64' ? ['package @tintype/cuda-linux-x64'] : []
    expect(names).toEqual([built, ...published])
    expect(packageNames('tintype_cuda').length).toBe(published.length)
  })

  it('is one only where the environment names it', async () => {
    vi.stubEnv('TINTYPE_CUDA_ADDON', cutShort)
    expect(candidates('tintype_cuda')).toEqual([{ origin: 'environment', name: cutShort, file: cutShort }])
    vi.resetModules()
    const { targetOf } = await import('../../lib/runtime/target.ts')
    expect(await errorOf(() => targetOf({ device: 'cuda' }))).toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringMatching(/cut-short.node: .*\n TINTYPE_CUDA_ADDON names the only file/),
    })
  })

  it('is opened by a child process first', () => {
    const missing = { origin: 'package', name: '@tintype/cuda-x', file: undefined } as const
    expect(tryCuda(missing)).toMatchObject({ sound: false, reason: 'not installed' })
    expect(tryCuda({ ...missing, file: crashing })).toMatchObject({
      sound: false,
      reason: expect.stringMatching(/too short|not a valid/),
    })
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

  it('says why an addon names no devices', () => {
    vi.stubEnv('TINTYPE_ISA', 'sse9')
    expect(probe(addon)).toMatchObject({
      loads: true,
      devices: [],
      problem: expect.stringContaining('sse9'),
    })
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

  it('needs no test of what is loaded already', () => {
    vi.stubEnv('TINTYPE_PROBE', '1')
    const { addons, devices } = diagnose()
    expect(addons[0]).toMatchObject({ state: 'chosen', isas: devices[0]!.isas })
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
