// Other package managers than npm, and a bundle: the addon and the model are found wherever they were put.

import { createRequire } from 'node:module'
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

type Webpack = (
  options: object,
  done: (error: Error | null, stats?: { toJson(what: object): unknown }) => void,
) => void

/** A file of a package that is no dependency of ours, fetched once by npm. */
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

  it("installs by Plug'n'Play, and makes a picture", async () => {
    const { program, project } = await install('pnp')
    await expectPicture(project, ['node', program, 'node', 'paint.mjs'])
  })
})

describe('a bundle made by webpack', () => {
  it('is moved to where it runs, and makes a picture', async () => {
    const file = await manager('webpack@5.112.2', 'lib/index.js')
    const webpack = createRequire(file)(file) as Webpack
    const project = user.project({ 'paint.mjs': paintingProgram })
    expectSuccess(await user.run('npm', ['install', 'tintype', '--no-audit'], { cwd: project }))
    const problems = await new Promise<unknown>((done, fail) => {
      const options = {
        ...{ mode: 'production', target: 'node20', context: project, entry: './paint.mjs' },
        externals: { sharp: 'commonjs sharp' },
        output: { path: join(project, 'out'), filename: 'bundle.cjs' },
      }
      webpack(options, (error, stats) =>
        error ? fail(error) : done(stats!.toJson({ all: false, errors: true, warnings: true })),
      )
    })
    expect(problems).toMatchObject({ errors: [], warnings: [] })
    // webpack writes down where the modules lay when it read them.
    const moved = `${project}-moved`
    await fs.move(project, moved)
    await expectPicture(moved, ['node', 'out/bundle.cjs'])
  })
})

describe('a bundle made by esbuild', () => {
  let project: string
  beforeAll(async () => {
    project = user.project({ 'paint.mjs': paintingProgram })
    expectSuccess(await user.run('npm', ['install', 'tintype', '--no-audit'], { cwd: project }))
  })

  // sharp has binaries of its own and says itself that it stays outside. CommonJS is what esbuild makes unless told otherwise.
  it.each([
    ['with tintype outside', 'esm', ['tintype']],
    ['with tintype inside', 'esm', ['sharp']],
    ['with tintype inside', 'cjs', ['sharp']],
  ] as const)('%s, in format %s, makes a picture', async (_, format, external) => {
    const file = `out/${external[0]}-outside.${format === 'esm' ? 'mjs' : 'cjs'}`
    const { warnings } = await build({
      ...{ entryPoints: [join(project, 'paint.mjs')], outfile: join(project, file), external: [...external] },
      ...{ bundle: true, platform: 'node', format, target: 'node20', logLevel: 'error' },
    })
    expect(warnings).toEqual([])
    await expectPicture(project, ['node', file])
  })
})
