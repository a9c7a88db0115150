// `tintype build`: compiles the addon from the sources in the package, where no prebuilt one fits.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TintypeError } from '../errors.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** Headers and the driver of CMake: npm fetches them into the package, in the versions that it was tested with. */
const toolsFolder = join(root, '.build-tools')
const tools = ['cmake-js', 'node-addon-api', 'node-api-headers'] as const

function found(modulePaths: string): boolean {
  const { status } = spawnSync(
    process.execPath,
    ['-e', tools.map((name) => `require.resolve('${name}/package.json')`).join(';')],
    { cwd: root, env: { ...process.env, NODE_PATH: modulePaths }, stdio: 'ignore' },
  )
  return status === 0
}

function fetchTools(): void {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Readonly<Record<string, string>>
  }
  const specs = tools.map((name) => `${name}@${devDependencies[name]}`)
  console.error(`tintype: fetching ${specs.join(', ')} with npm`)
  const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund']
  const { status } = spawnSync('npm', ['install', ...options, '--prefix', toolsFolder, ...specs], {
    // stdout is for results, and npm has none that anybody waits for.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (status !== 0) {
    throw new TintypeError('IO', `npm could not install ${specs.join(', ')} into ${toolsFolder}.`, {
      advice: 'The lines above say why; the folder must be writable and the registry within reach.',
    })
  }
}

/** Compiles, then loads what came out of it. */
export async function buildCommand(): Promise<void> {
  const script = join(root, 'scripts/build.mjs')
  if (!existsSync(script)) {
    throw new TintypeError('IO', `${script} is missing.`, { advice: 'Install tintype again.' })
  }
  const modulePaths = join(toolsFolder, 'node_modules')
  if (!found(modulePaths)) fetchTools()
  const { status } = spawnSync(process.execPath, [script], {
    cwd: root,
    env: { ...process.env, NODE_PATH: modulePaths },
    stdio: ['ignore', 2, 2],
  })
  const addon = join(root, 'build/Release/tintype.node')
  if (status !== 0 || !existsSync(addon)) {
    throw new TintypeError('ADDON_NOT_FOUND', 'The native addon could not be compiled.', {
      advice: 'The lines above say why. It takes CMake 3.22 and a C++20 compiler.',
    })
  }
  createRequire(import.meta.url)(addon)
  console.log(addon)
}
