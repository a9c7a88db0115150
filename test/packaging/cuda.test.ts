// @tintype/cuda-linux-x64 as it is installed, on machines without a GPU: with no driver, with one that is too old, and
// with one that ends the process. The drivers are stand-ins, compiled here; what a real one does was never seen.

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Diagnosis } from '../../lib/index.ts'
import { cudaKernels } from '../../scripts/cuda-kernels.ts'
import { expectSuccess } from './outcome.ts'
import { distanceFromExpected, paintingProgram } from './picture.ts'
import { createUser } from './user.ts'

const name = '@tintype/cuda-linux-x64'
const packed = inject('packages').find((one) => one.name === name)
if (!packed) console.warn(`${name} was not packed (no nvcc, or TINTYPE_CUDA=OFF): it is not tried`)

const user = createUser({ registry: inject('registry') })
afterAll(() => user.remove())

/** Prints what a program gets that asks for a GPU. */
const asking = `import { generate, load, defaultModelFolder } from 'tintype'
try {
  await load(defaultModelFolder, { device: 'cuda' })
  console.log('loaded')
} catch (error) {
  console.log(error.code, error.message)
}
await generate({ prompt: 'red apple', steps: 1 })
console.log('and paints on the CPU')`

// The binaries of a release are built elsewhere.
it.runIf(packed && process.env.TINTYPE_PREBUILT !== 'keep')(
  'the module holds the machine code of the tested PTX',
  () => {
    const module = readFileSync(join(inject('prebuilt'), 'tintype_cuda.node'))
    const cubins = readdirSync(cudaKernels, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.cubin'),
    )
    expect(cubins).toContain('sm_90/bf16/linear.cubin')
    for (const file of cubins) expect(module.includes(readFileSync(join(cudaKernels, file))), file).toBe(true)
  },
)

describe.runIf(packed)(`npm install tintype ${name}`, () => {
  let project: string
  let version: string
  beforeAll(async () => {
    project = user.project({ 'paint.mjs': paintingProgram, 'ask.mjs': asking })
    expectSuccess(await user.run('npm', ['install', 'tintype', name, '--no-audit'], { cwd: project }))
    version = installed('tintype/package.json').version
  })
  const installed = (file: string) => JSON.parse(readFileSync(join(project, 'node_modules', file), 'utf8'))

  type Environment = Readonly<Record<string, string>>
  async function doctor(env: Environment = {}) {
    const { stdout } = await user.run('npx', ['tintype', 'doctor', '--json'], { cwd: project, env })
    const found = JSON.parse(stdout) as Diagnosis
    return { found, cuda: found.cuda.addons.find((one) => one.name === name)! }
  }
  const ask = async (env: Environment = {}) =>
    expectSuccess(await user.run('node', ['ask.mjs'], { cwd: project, env }))

  /** A libcuda.so.1 made of C; the environment that lets it be found. */
  function driver(kind: string, source: string): Environment {
    const folder = join(user.folder, kind)
    mkdirSync(folder)
    writeFileSync(join(folder, 'driver.c'), source)
    const { status, stderr } = spawnSync(
      'cc',
      ['-shared', '-fPIC', '-o', join(folder, 'libcuda.so.1'), join(folder, 'driver.c')],
      { encoding: 'utf8' },
    )
    if (status !== 0) throw new Error(`The tests need cc: ${stderr}`)
    return { LD_LIBRARY_PATH: folder }
  }

  /** An nvidia-smi that lists a GPU. */
  function listing(): Environment {
    const folder = join(user.folder, 'smi')
    mkdirSync(folder)
    writeFileSync(join(folder, 'nvidia-smi'), '#!/bin/sh\necho "NVIDIA A10, 470.1, 23028"\n')
    chmodSync(join(folder, 'nvidia-smi'), 0o755)
    return { PATH: `${join(user.folder, 'bin')}:${folder}` }
  }

  it('is an optional peer of one version', () => {
    const { peerDependencies, peerDependenciesMeta, optionalDependencies } = installed('tintype/package.json')
    expect(peerDependencies).toEqual({ [name]: version })
    expect(peerDependenciesMeta).toEqual({ [name]: { optional: true } })
    expect(optionalDependencies).not.toHaveProperty(name)
    expect(installed(`${name}/package.json`)).toMatchObject({
      version,
      os: ['linux'],
      cpu: ['x64'],
      libc: ['glibc'],
    })
  })

  it('paints on the CPU as before', async () => {
    expectSuccess(await user.run('node', ['paint.mjs', 'apple.png'], { cwd: project }))
    expect(await distanceFromExpected(join(project, 'apple.png'))).toBeLessThan(1)
  })

  it('says that there is no driver', async () => {
    const { found, cuda } = await doctor()
    expect(cuda).toMatchObject({
      state: 'refused',
      file: join(project, 'node_modules', name, 'tintype_cuda.node'),
      reason: 'There is no NVIDIA driver (580 or later is needed).',
    })
    expect(found.advice).toEqual([expect.stringMatching(/no NVIDIA driver.*nvidia-smi.*device: "cpu"/)])
    expect(found.devices).toMatchObject([{ name: 'cpu' }])
    expect(await ask()).toMatch(
      /^DEVICE_UNAVAILABLE There is no NVIDIA driver .580.*device: "cpu".*\nand paints on the CPU\n$/,
    )
  })

  it('says that the driver is too old', async () => {
    // What the runtime asks first: it goes no further with a version that is not its own.
    const old = driver(
      'old-driver',
      'int cuInit(unsigned flags) { return 0; }\nint cuDriverGetVersion(int* v) { *v = 12040; return 0; }\n',
    )
    const said = 'The NVIDIA driver is too old: it is for CUDA 12.4, CUDA 13.0 needs driver 580 or later.'
    const { found, cuda } = await doctor(old)
    expect(cuda).toMatchObject({ state: 'refused', reason: said })
    expect(found.advice[0]).toContain(said)
    expect(await ask(old)).toContain(`DEVICE_UNAVAILABLE ${said}`)
  })

  it('survives a driver that ends the process', async () => {
    const broken = driver(
      'broken-driver',
      '#include <stdlib.h>\n__attribute__((constructor)) static void start(void) { abort(); }\n',
    )
    const { found, cuda } = await doctor(broken)
    expect(cuda).toMatchObject({ state: 'refused', reason: 'ends the process that loads it (SIGABRT)' })
    expect(found.advice[0]).toMatch(/CUDA backend cannot be used: .*SIGABRT/)
    expect(await ask(broken)).toMatch(/^DEVICE_UNAVAILABLE .*SIGABRT.*and paints on the CPU\n$/s)
  })

  it('is refused in another version than that of tintype', async () => {
    const file = join(project, 'node_modules', name, 'package.json')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace(`"${version}"`, '"9.9.9"'))
    try {
      const { found, cuda } = await doctor()
      expect(cuda).toMatchObject({ state: 'refused', reason: `is version 9.9.9, expected ${version}` })
      expect(found.advice[0]).toContain(`npm install ${name}@${version}`)
    } finally {
      writeFileSync(file, text)
    }
  })

  it('is recommended where a GPU is and no backend', async () => {
    const without = user.project({ 'ask.mjs': asking })
    expectSuccess(await user.run('npm', ['install', 'tintype', '--no-audit'], { cwd: without }))
    const env = listing()
    const { stdout } = await user.run('npx', ['tintype', 'doctor', '--json'], { cwd: without, env })
    const { gpus, cuda, advice } = JSON.parse(stdout) as Diagnosis
    expect(gpus).toEqual([{ name: 'NVIDIA A10', driver: '470.1', memoryMiB: 23028 }])
    expect(cuda.addons.at(-1)).toMatchObject({ name, reason: 'not installed' })
    expect(advice).toEqual([
      expect.stringContaining(
        `not installed, which would use NVIDIA A10. \`npm install ${name}@${version}\``,
      ),
    ])
    expect(expectSuccess(await user.run('node', ['ask.mjs'], { cwd: without, env }))).toContain(
      `DEVICE_UNAVAILABLE The CUDA backend is not installed. \`npm install ${name}@${version}\``,
    )
  })
})
