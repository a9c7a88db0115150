// The platforms that have a prebuilt binary, and which of them this process is.

import { readFileSync } from 'node:fs'

/** As npm knows it: the fields `os`, `cpu` and `libc` of the package that holds the binary. */
export interface Platform {
  /** The package is `@tintype/<key>`. */
  readonly key: string
  readonly os: 'darwin' | 'linux' | 'win32'
  readonly cpu: 'arm64' | 'x64'
  readonly libc?: Libc
  /** Whether there is a package `@tintype/cuda-<key>` as well. */
  readonly cuda?: true
}

export type Libc = 'glibc' | 'musl'

export const platforms: readonly Platform[] = [
  { key: 'linux-x64', os: 'linux', cpu: 'x64', libc: 'glibc', cuda: true },
  { key: 'linux-arm64', os: 'linux', cpu: 'arm64', libc: 'glibc' },
  { key: 'linux-x64-musl', os: 'linux', cpu: 'x64', libc: 'musl' },
  { key: 'linux-arm64-musl', os: 'linux', cpu: 'arm64', libc: 'musl' },
  { key: 'darwin-arm64', os: 'darwin', cpu: 'arm64' },
  { key: 'darwin-x64', os: 'darwin', cpu: 'x64' },
  { key: 'win32-x64', os: 'win32', cpu: 'x64' },
]

/** The libc that this process runs on; undefined on other systems than Linux, and where /proc does not tell. */
export function currentLibc(): Libc | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    // What is mapped is what counts: the file of the program may name another loader than the one that started it.
    const mapped = readFileSync('/proc/self/maps', 'latin1')
    if (/\/(ld-musl-|libc\.musl-)/.test(mapped)) return 'musl'
    return /\/libc(-2\.\d+\.so|\.so\.6)$/m.test(mapped) ? 'glibc' : undefined
  } catch {
    return undefined
  }
}

/** What this process is, in the words of the packages: `linux-x64`, `linux-arm64-musl`, `win32-x64`. */
export function currentPlatform(): string {
  const key = `${process.platform}-${process.arch}`
  return currentLibc() === 'musl' ? `${key}-musl` : key
}
