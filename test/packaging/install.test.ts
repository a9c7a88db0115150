// What `npm install tintype` gives: on a machine without compiler, CMake and Python, from a registry or from files.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { currentPlatform } from '../../lib/runtime/platform.ts'
import { expectSuccess } from './outcome.ts'
import { distanceFromExpected, paintingProgram } from './picture.ts'
import { createUser } from './user.ts'

const user = createUser({ registry: inject('registry') })
afterAll(() => user.remove())

async function expectPicture(project: string, program: readonly string[], env = {}): Promise<void> {
  expectSuccess(await user.run('node', [...program, 'apple.png'], { cwd: project, env }))
  expect(await distanceFromExpected(join(project, 'apple.png'))).toBeLessThan(1)
}

describe('the machine of the test', () => {
  it.each(['c++', 'g++', 'gcc', 'cc', 'clang', 'cmake', 'make', 'ninja', 'python3', 'python'])(
    'has no %s',
    async (program) => {
      const { code } = await user.run('sh', ['-c', `command -v ${program}`])
      expect(code).not.toBe(0)
    },
  )
})

describe('the tarballs', () => {
  it.each(inject('packages'))('$name has $megabytes MB of $budget', ({ megabytes, budget }) => {
    expect(megabytes).toBeGreaterThan(0.1)
    expect(megabytes).toBeLessThan(budget)
  })

  it('contain the main package and the one of this platform', () => {
    const names = inject('packages').map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['tintype', `@tintype/${currentPlatform()}`]))
  })
})

describe('npm install tintype', () => {
  let project: string
  beforeAll(async () => {
    const worker = `import { Worker } from 'node:worker_threads'
      new Worker('./paint.mjs', { argv: process.argv.slice(2) }).on('error', (error) => { throw error })`
    project = user.project({ 'paint.mjs': paintingProgram, 'worker.mjs': worker })
    expectSuccess(await user.run('npm', ['install', 'tintype', '--no-audit'], { cwd: project }))
  })
  const installed = (name: string) => JSON.parse(readFileSync(join(project, 'node_modules', name), 'utf8'))

  it('installs one binary, compiles nothing and runs no script', () => {
    const { packages } = installed('.package-lock.json') as {
      packages: Record<string, { hasInstallScript?: boolean }>
    }
    const binaries = Object.keys(packages).filter((path) => path.startsWith('node_modules/@tintype/'))
    expect(binaries).toEqual([`node_modules/@tintype/${currentPlatform()}`])
    expect(Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([])
    expect(installed('tintype/package.json').scripts).toBeUndefined()
    expect(existsSync(join(project, 'node_modules/tintype/build'))).toBe(false)
    expect(existsSync(join(project, 'node_modules/tintype/binding.gyp'))).toBe(false)
  })

  const dist = () => join(project, 'node_modules/tintype/dist')

  it('has in few files what takes long to find', () => {
    const scripts = readdirSync(dist(), { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.js'),
    )
    expect(scripts).toContain('index.js')
    expect(scripts.length).toBeLessThan(12)
    expect(existsSync(join(project, 'node_modules/zod'))).toBe(false)
  })

  it('has the licences of what others made', () => {
    const licences = readFileSync(join(dist(), 'THIRD-PARTY-LICENCES.txt'), 'utf8')
    expect(licences).toMatch(/^zod \d+\.\d+\.\d+\n\nMIT License/m)
    expect(licences).toMatch(/^node-addon-api \d+\.\d+\.\d+\n\nThe MIT License/m)
    for (const holder of [
      '2017 [Node.js API collaborators]',
      '2021 OpenAI',
      'Microsoft Corporation.',
      '2017-2019 Miles Johnson',
    ]) {
      expect(licences).toContain(`Copyright (c) ${holder}`)
    }
    expect(licences.match(/^Permission is hereby granted/gm)?.length).toBe(5)
    const binary = join(project, 'node_modules/@tintype', currentPlatform())
    expect(readFileSync(join(binary, 'LICENSE.node-addon-api.md'), 'utf8')).toContain('Node.js API collab')
  })

  it('makes a picture', () => expectPicture(project, ['paint.mjs']))

  it('gives the command line', async () => {
    const args = ['tintype', 'red apple', '--steps', '1', '--quiet', '-o', 'cli.png']
    expect(expectSuccess(await user.run('npx', args, { cwd: project }))).toBe('cli.png\n')
    expect(statSync(join(project, 'cli.png')).size).toBeGreaterThan(1000)
  })

  it('gives the command line to the whole machine', async () => {
    const prefix = join(user.folder, 'global')
    expectSuccess(await user.run('npm', ['install', '-g', '--prefix', prefix, 'tintype', '--no-audit']))
    const args = ['red apple', '--steps', '1', '--quiet', '-o', join(user.folder, 'global.png')]
    expectSuccess(await user.run(join(prefix, 'bin', 'tintype'), args))
    expect(statSync(join(user.folder, 'global.png')).size).toBeGreaterThan(1000)
  })

  it('can be required', async () => {
    const program = `const { generate, devices } = require('tintype')
      if (typeof generate !== 'function') throw new Error('no generate')
      console.log(devices()[0].name)`
    const outcome = await user.run('node', ['--input-type=commonjs', '-e', program], { cwd: project })
    expect(expectSuccess(outcome)).toBe('cpu\n')
  })

  it('makes a picture in a worker', async () => {
    await expectPicture(project, ['worker.mjs'])
  })

  it('installs the same from the lock file, without scripts', async () => {
    expectSuccess(await user.run('npm', ['ci', '--ignore-scripts', '--no-audit'], { cwd: project }))
    await expectPicture(project, ['paint.mjs'])
  })

  it('says what to do where optional dependencies were left out', async () => {
    expectSuccess(await user.run('npm', ['ci', '--omit=optional', '--no-audit'], { cwd: project }))
    const program = `import { devices } from 'tintype'
      try { devices() } catch (error) { console.log(error.code, error.message) }`
    const outcome = await user.run('node', ['--input-type=module', '-e', program], { cwd: project })
    const stdout = expectSuccess(outcome)
    expect(stdout).toContain('ADDON_NOT_FOUND')
    expect(stdout).toContain(`@tintype/${currentPlatform()}: not installed`)
    expect(stdout).toMatch(/--omit=optional.*npx tintype build/s)
  })
})

describe('a platform without a prebuilt binary', () => {
  it.each([
    ['linux', 'riscv64'],
    ['win32', 'arm64'],
  ])('%s-%s gets an error that says what to do', async (platform, arch) => {
    const project = user.project()
    expectSuccess(await user.run('npm', ['install', 'tintype', '--no-audit'], { cwd: project }))
    const program = `Object.defineProperties(process, { platform: { value: '${platform}' }, arch: { value: '${arch}' } })
      const { devices, diagnose, TintypeError } = await import('tintype')
      const { prebuilt, advice } = diagnose()
      try { devices() } catch (error) { console.log(error instanceof TintypeError, error.code, error.message) }
      console.log(prebuilt, advice[0])`
    const outcome = await user.run('node', ['--input-type=module', '-e', program], { cwd: project })
    const advice = `There is no prebuilt binary for ${platform}-${arch}; \`npx tintype build\` compiles one`
    const stdout = expectSuccess(outcome)
    expect(stdout).toContain(`true ADDON_NOT_FOUND No native addon for ${platform}-${arch} could be loaded.`)
    expect(stdout.split(advice)).toHaveLength(3)
    expect(stdout).toMatch(/^false There is no prebuilt binary/m)
    expect(stdout).toContain('npx tintype doctor')
  })
})

describe('npm install --offline with tarballs', () => {
  // A network namespace of its own has no way out; not every container may make one.
  const isolated = spawnSync('unshare', ['--net', '--map-root-user', 'true']).status === 0
  if (!isolated) console.warn('unshare --net is not allowed here: only --offline keeps npm from the network')

  it('makes a picture with no network', async () => {
    const project = user.project({ 'paint.mjs': paintingProgram })
    const npm = ['npm', 'install', '--offline', '--no-audit', ...inject('tarballs')]
    const paint = ['node', 'paint.mjs', 'apple.png']
    const sealed = { cwd: project, env: { npm_config_registry: 'http://127.0.0.1:9/' } }
    const unshare = spawnSync('sh', ['-c', 'command -v unshare'], { encoding: 'utf8' }).stdout.trim()
    for (const [program, ...args] of [npm, paint]) {
      const outcome = isolated
        ? await user.run(unshare, ['--net', '--map-root-user', program!, ...args], sealed)
        : await user.run(program!, args, sealed)
      expectSuccess(outcome)
    }
    expect(await distanceFromExpected(join(project, 'apple.png'))).toBeLessThan(1)
  })
})
