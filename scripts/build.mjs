// Builds the native addon: the one way for npm, node-gyp and the command line.
// usage: node scripts/build.mjs [--out FOLDER] [--define NAME=VALUE]...
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'build/cmake' },
    define: { type: 'string', multiple: true, default: [] },
  },
})

/** Says what is missing in one line, where cmake-js would answer with a stack. */
function requireTool(names, advice) {
  const found = names.some((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
  if (found || process.platform === 'win32') return
  console.error(`tintype: cannot compile the native addon: none of ${names.join(', ')} was found.\n${advice}`)
  process.exit(1)
}

requireTool(
  ['cmake'],
  'Install CMake 3.22 or newer: `apt install cmake`, `brew install cmake` or https://cmake.org.',
)
requireTool(
  process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++'],
  'Install a C++20 compiler: `apt install g++` or `xcode-select --install`.',
)

const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js')
const args = ['build', '-d', root, '-O', resolve(root, values.out), '--log-level', 'warn']
const env = { ...process.env }
// node-gyp's make would pass its job server on to a make that cannot use it.
for (const name of ['MAKEFLAGS', 'MAKELEVEL', 'MFLAGS']) delete env[name]
const defines = values.define.map((define) => `--CD${define}`)
const { status } = spawnSync(process.execPath, [cmakeJs, ...args, ...defines], {
  cwd: root,
  stdio: 'inherit',
  env,
})
if (status !== 0) console.error('tintype: the native addon could not be compiled; the lines above say why.')
process.exit(status ?? 1)
