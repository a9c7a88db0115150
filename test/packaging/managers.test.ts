// Other package managers than npm, and a bundle: the addon and the model are found wherever they were put.

import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { $, fs } from 'zx'
import { expectSuccess } from './outcome.ts'
import { distanceFromExpected, paintingProgram } from './picture.ts'
import { createUser } from './user.ts'

const user = createUser({ registry: inject('registry') })
afterAll(() => user.remove())

async function expectPicture(project: string, program: readonly string[]): Promise<void> {
  const [first, ...rest] = program
  expectSuccess(await user.run(first!, [...rest, 'apple.png'], { cwd: project }))
  expect(await distanceFromExpected(join(project, 'apple.png'))).toBeLessThan(1)
}

/** The program of a package manager, fetched once by npm. */
async function manager(spec: string, program: string): Promise<string> {
  const folder = resolve('build/downloads', spec.replaceAll('/', '-'))
  const file = join(folder, 'node_modules', spec.replace(/@[^@/]+$/, ''), program)
  if (!(await fs.pathExists(file))) {
    await fs.ensureDir(folder)
    await $({ cwd: folder })`npm install --silent --no-save --ignore-scripts --prefix ${folder} ${spec}`
  }
  return file
}

describe('pnpm', () => {
  it('installs without scripts, and makes a picture', async () => {
    const pnpm = await manager('pnpm@10.34.8', 'bin/pnpm.cjs')
    const project = user.project({ 'paint.mjs': paintingProgram })
    expectSuccess(await user.run('node', [pnpm, 'add', 'tintype'], { cwd: project }))
    await expectPicture(project, ['node', 'paint.mjs'])
  })
})

describe('Yarn', () => {
  const yarn = () => manager('@yarnpkg/cli-dist@4.18.1', 'bin/yarn.js')
  const install = async (linker: string) => {
    const program = await yarn()
    const project = user.project({
      'paint.mjs': paintingProgram,
      'yarn.lock': '',
      '.yarnrc.yml': [
        `nodeLinker: ${linker}`,
        `npmRegistryServer: "${inject('registry')}"`,
        'unsafeHttpWhitelist: ["127.0.0.1"]',
        'enableTelemetry: false',
        'enableGlobalCache: false',
        // What was published a minute ago is what this test is about.
        'npmMinimalAgeGate: 0',
      ].join('\n'),
    })
    expectSuccess(await user.run('node', [program, 'add', 'tintype'], { cwd: project }))
    return { program, project }
  }

  it('installs into node_modules, and makes a picture', async () => {
    const { project } = await install('node-modules')
    await expectPicture(project, ['node', 'paint.mjs'])
  })

  // As pixels: sharp, which makes files of them, does not load from this linker.
  it("installs by Plug'n'Play, and makes a picture's pixels", async () => {
    const { program, project } = await install('pnp')
    const script = `import { generate } from 'tintype'
      const { images } = await generate({ prompt: 'red apple', seed: 1, steps: 1 })
      const { width, height, data } = images[0]
      console.log(width, height, data.length, new Set(data).size > 50)`
    await fs.writeFile(join(project, 'pixels.mjs'), script)
    const outcome = await user.run('node', [program, 'node', 'pixels.mjs'], { cwd: project })
    expect(expectSuccess(outcome)).toBe('128 128 49152 true\n')
  })
})

describe('a bundle made by esbuild', () => {
  let project: string
  beforeAll(async () => {
    project = user.project({ 'paint.mjs': paintingProgram })
    expectSuccess(await user.run('npm', ['install', 'tintype', '--no-audit'], { cwd: project }))
  })

  // sharp has binaries of its own and says itself that it stays outside.
  it.each([
    ['with tintype outside', ['tintype']],
    ['with tintype inside', ['sharp']],
  ])('%s makes a picture', async (_, external) => {
    const outfile = join(project, 'out', 'bundle.mjs')
    await build({
      ...{ entryPoints: [join(project, 'paint.mjs')], outfile, external },
      ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' },
    })
    await expectPicture(project, ['node', 'out/bundle.mjs'])
  })
})
