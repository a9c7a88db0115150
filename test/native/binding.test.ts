// Finding the addon, and what the environment variables of a process change.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type DeviceInfo, devices } from '../../lib/runtime/device.ts'
import { errorOf, temporaryFolder } from './plans.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
})

describe('an addon that cannot be loaded', () => {
  const broken = join(temporaryFolder(), 'broken.node')
  writeFileSync(broken, 'no ELF')
  it.each([
    ['/nowhere/tintype.node', /\/nowhere\/tintype.node: no such file/],
    [broken, /broken.node: .*(too short|invalid ELF|not a valid|slice)/],
  ])('is told with what was tried: %s', async (file, message) => {
    vi.stubEnv('TINTYPE_ADDON', file)
    vi.resetModules()
    const fresh = await import('../../lib/runtime/device.ts')
    const error = await errorOf(() => fresh.devices())
    expect(error).toMatchObject({ code: 'ADDON_NOT_FOUND', message: expect.stringMatching(message) })
  })
})

describe('the environment', () => {
  const script = fileURLToPath(new URL('children/devices.mjs', import.meta.url))
  const withEnvironment = (env: Record<string, string>) => {
    const { stdout } = spawnSync(process.execPath, [script], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    })
    return JSON.parse(stdout) as { devices?: DeviceInfo[]; code?: string; message?: string }
  }

  it('forces any instruction set that the machine has', () => {
    for (const isa of devices()[0]!.isas) {
      expect(withEnvironment({ TINTYPE_ISA: isa }).devices![0]!.isa).toBe(isa)
    }
  })

  it('cannot ask for another', () => {
    const { code, message } = withEnvironment({ TINTYPE_ISA: 'sse9' })
    expect(code).toBe('INVALID_ARGUMENT')
    expect(message).toContain(`supports ${devices()[0]!.isas.join(', ')}`)
  })

  it('sets the number of threads', () => {
    expect(withEnvironment({ TINTYPE_THREADS: '7' }).devices![0]!.threads).toBe(7)
  })

  it.each(['0', '257', 'two', '-1', '3.5'])('cannot set it to %s', (threads) => {
    expect(withEnvironment({ TINTYPE_THREADS: threads })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: `TINTYPE_THREADS is "${threads}", expected 1 to 256.`,
    })
  })
})
