// npm's `prepare`: in a checkout, and where npm installs from git, makes the addon and dist/. A published package has
// both and never gets here.
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** Whether a former build's addon loads and no source is newer; TINTYPE_BUILD=1 builds in any case. */
function hasAddon() {
  if (process.env.TINTYPE_BUILD) return false
  const addon = resolve(root, 'build/Release/tintype.node')
  try {
    createRequire(import.meta.url)(addon)
  } catch {
    return false
  }
  const sources = ['native', 'kernels'].flatMap((folder) =>
    readdirSync(resolve(root, folder), { recursive: true }).map((file) => resolve(root, folder, file)),
  )
  const built = statSync(addon).mtimeMs
  return [resolve(root, 'CMakeLists.txt'), ...sources].every((file) => statSync(file).mtimeMs <= built)
}

function run(script) {
  const { status } = spawnSync(process.execPath, [script], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

if (!hasAddon()) run(resolve(root, 'scripts/build.mjs'))
run(resolve(root, 'scripts/dist.mjs'))
