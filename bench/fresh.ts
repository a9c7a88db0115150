// Guards against measuring an old build: what is timed must be what the sources say.

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BenchError } from './errors.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

function newest(folder: string, endings: RegExp, skip: readonly string[] = []): { file: string; ms: number } {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => endings.test(file) && !skip.some((part) => file.startsWith(part)))
    .map((file) => ({ file: join(folder, file), ms: statSync(join(root, folder, file)).mtimeMs }))
  return files.reduce((last, file) => (file.ms > last.ms ? file : last))
}

const built = (file: string) => statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0

function check(product: string, sources: { file: string; ms: number }, command: string): void {
  if (built(product) >= sources.ms) return
  throw new BenchError(
    `${product} is older than ${sources.file}, or missing.`,
    `Run npm run ${command} first.`,
  )
}

/**
 * Checks that the addon, and dist/ where that is measured, are not older than their sources. The addon is not checked
 * where TINTYPE_ADDON names another one; sources for other devices do not count.
 *
 * @throws BenchError that names the newer source
 */
export function checkFresh(runs: { readonly dist: boolean }): void {
  if (runs.dist) check('dist/index.js', newest('lib', /\.ts$/), 'build:ts')
  if (process.env.TINTYPE_ADDON) return
  const sources = [newest('kernels', /\.(cc|h)$/, ['cuda']), newest('native', /\.(cc|h)$/, ['cuda'])]
  for (const source of sources) check('build/Release/tintype.node', source, 'build:native')
}
