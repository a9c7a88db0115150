// Where a native addon may lie, best first, and why one is not even tried.

import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unpackedPath } from './asar.ts'
import { readElf } from './elf.ts'
import { currentLibc, currentPlatform, platforms } from './platform.ts'

export interface Candidate {
  /** `environment`: named by TINTYPE_ADDON; `build`: compiled here; `package`: prebuilt, installed by npm. */
  readonly origin: 'environment' | 'build' | 'package'
  /** Path, or the name of the package. */
  readonly name: string
  /** Undefined where it is not installed. */
  readonly file: string | undefined
}

const require = createRequire(import.meta.url)

/**
 * The folder of the package; undefined where this code was bundled into a file that lies elsewhere and the package
 * is not installed beside it.
 */
export function packageRoot(): string | undefined {
  const here = fileURLToPath(new URL('../../', import.meta.url))
  try {
    const { name } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')) as { name?: string }
    if (name === 'tintype') return here
  } catch {
    // A bundle: nothing of ours lies two folders above it.
  }
  try {
    return dirname(require.resolve('tintype/package.json'))
  } catch {
    return undefined
  }
}

/** Finds a file of another package, as it is seen from here and from the package's own folder. */
export function findInPackage(name: string, file: string): string | undefined {
  const root = packageRoot()
  for (const from of [import.meta.url, ...(root ? [join(root, 'package.json')] : [])]) {
    try {
      return unpackedPath(createRequire(from).resolve(`${name}/${file}`))
    } catch {
      // Not installed where this one looks.
    }
  }
  return undefined
}

/** npm installs the package whose `os`, `cpu` and `libc` fit; where it cannot tell the libc, it installs both. */
function packageNames(): string[] {
  const known = currentLibc()
  return platforms
    .filter(({ os, cpu }) => os === process.platform && cpu === process.arch)
    .filter(({ libc }) => libc === undefined || known === undefined || libc === known)
    .map(({ key }) => `@tintype/${key}`)
}

/** Every addon that this process could load, in the order in which they are tried. */
export function candidates(): Candidate[] {
  const named = process.env.TINTYPE_ADDON
  if (named) {
    const path = resolve(named)
    return [{ origin: 'environment', name: path, file: existsSync(path) ? path : undefined }]
  }
  const root = packageRoot()
  const built = root && join(root, 'build/Release/tintype.node')
  return [
    ...(built
      ? [{ origin: 'build' as const, name: built, file: existsSync(built) ? built : undefined }]
      : []),
    ...packageNames().map((name) => ({
      origin: 'package' as const,
      name,
      file: findInPackage(name, 'tintype.node'),
    })),
  ]
}

/** Whether loading a file can do worse than fail: `no`, `unknown`, or the reason why it must not be tried. */
export function danger(file: string): 'no' | 'unknown' | { readonly reason: string } {
  // `require` runs anything else as JavaScript.
  if (!file.endsWith('.node')) return { reason: 'expected a file whose name ends in .node' }
  if (process.platform !== 'linux') return 'no'
  const elf = readElf(file)
  if (!elf) return 'no'
  if (elf.size < elf.expectedSize) {
    return { reason: `cut short: ${elf.size} bytes, expected ${elf.expectedSize}` }
  }
  const libc = currentLibc()
  if (libc === undefined || elf.libc === undefined) return 'unknown'
  if (elf.libc !== libc) {
    return { reason: `linked against ${elf.libc}, and this process runs on ${libc} (${currentPlatform()})` }
  }
  return 'no'
}
