// Where a native module may lie, best first, and why one is not even tried.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unpackedPath } from './asar.ts'
import { readElf } from './elf.ts'
import { currentLibc, currentPlatform, platforms } from './platform.ts'
import { ownFile, requireFrom } from './require.ts'

/** The addon, and the CUDA backend beside it. */
export type ModuleName = 'tintype' | 'tintype_cuda'

/** What names the file to load and no other. */
export const variables = { tintype: 'TINTYPE_ADDON', tintype_cuda: 'TINTYPE_CUDA_ADDON' } as const

export interface Candidate {
  /** `environment`: named by a variable; `build`: compiled here; `package`: prebuilt, installed by npm. */
  readonly origin: 'environment' | 'build' | 'package'
  /** Path, or the name of the package. */
  readonly name: string
  /** Undefined where it is not installed. */
  readonly file: string | undefined
}

/** The nearest folder above this file that has a package.json: the package, unless this was bundled into a program. */
function folderAbove(): string | undefined {
  // Not by `new URL(...)` beside it, which bundlers take for a file to copy.
  const file = ownFile()
  let folder = dirname(file.startsWith('file:') ? fileURLToPath(file) : file)
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) return undefined
    folder = parent
  }
  return folder
}

function manifestIn(folder: string): { readonly name?: string; readonly version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch {
    return undefined
  }
}

/** Where packages are looked for: from here, and from the program, where a bundler has put the path of its own machine here. */
const vantagePoints = (): string[] => [ownFile(), ...(process.argv[1] ? [resolve(process.argv[1])] : [])]

/**
 * The folder of the package; undefined where this code was bundled into a file that lies elsewhere and the package
 * is not installed beside it.
 */
export function packageRoot(): string | undefined {
  const above = folderAbove()
  if (above && manifestIn(above)?.name === 'tintype') return above
  for (const from of vantagePoints()) {
    try {
      return dirname(requireFrom(from).resolve('tintype/package.json'))
    } catch {
      // Not installed where this one looks.
    }
  }
  return undefined
}

/** The version of this package; undefined in a bundle. */
export function packageVersion(): string | undefined {
  const root = packageRoot()
  return root && manifestIn(root)?.version
}

/** Why a package's binary is not for this code: the two talk in plans, whose form is no promise between versions. */
export function otherVersion(file: string): string | undefined {
  const [wanted, got] = [packageVersion(), manifestIn(dirname(file))?.version]
  return wanted && got && wanted !== got ? `is version ${got}, expected ${wanted}` : undefined
}

/** Finds a file of another package, as it is seen from here and from the package's own folder. */
export function findInPackage(name: string, file: string): string | undefined {
  const root = packageRoot()
  for (const from of [...vantagePoints(), ...(root ? [join(root, 'package.json')] : [])]) {
    try {
      return unpackedPath(requireFrom(from).resolve(`${name}/${file}`))
    } catch {
      // Not installed where this one looks.
    }
  }
  return undefined
}

/** npm installs the package whose `os`, `cpu` and `libc` fit; where it cannot tell the libc, it installs both. */
export function packageNames(module: ModuleName): string[] {
  const known = currentLibc()
  return platforms
    .filter(({ os, cpu }) => os === process.platform && cpu === process.arch)
    .filter(({ libc }) => libc === undefined || known === undefined || libc === known)
    .filter(({ cuda }) => cuda || module !== 'tintype_cuda')
    .map(({ key }) => (module === 'tintype_cuda' ? `@tintype/cuda-${key}` : `@tintype/${key}`))
}

/** Every file of a module that this process could load, in the order in which they are tried. */
export function candidates(module: ModuleName = 'tintype'): Candidate[] {
  const named = process.env[variables[module]]
  if (named) {
    const path = resolve(named)
    return [{ origin: 'environment', name: path, file: existsSync(path) ? path : undefined }]
  }
  const root = packageRoot()
  const built = root && join(root, `build/Release/${module}.node`)
  return [
    ...(built
      ? [{ origin: 'build' as const, name: built, file: existsSync(built) ? built : undefined }]
      : []),
    ...packageNames(module).map((name) => ({
      origin: 'package' as const,
      name,
      file: findInPackage(name, `${module}.node`),
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
