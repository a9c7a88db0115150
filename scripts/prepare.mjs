// npm's `prepare`: in a checkout, and where npm installs from git, makes the addon and dist/. A published package has
// both and never gets here.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** Whether the addon of a former build still loads; TINTYPE_BUILD=1 builds in any case. */
function hasAddon() {
  if (process.env.TINTYPE_BUILD) return false
  try {
    createRequire(import.meta.url)(resolve(root, 'build/Release/tintype.node'))
    return true
  } catch {
    return false
  }
}

function run(script, args = []) {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

if (!hasAddon()) run(resolve(root, 'scripts/build.mjs'))
run(createRequire(import.meta.url).resolve('typescript/bin/tsc'), ['-p', 'tsconfig.build.json'])
