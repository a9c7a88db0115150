// What all packaging tests start from, made once: the prebuilt addon, the packages, and a registry that serves them.

import { resolve } from 'node:path'
import type { TestProject } from 'vitest/node'
import { pack, type Tarball } from '../../scripts/pack/pack.ts'
import { prebuild } from '../../scripts/pack/prebuild.ts'
import { startRegistry } from './registry.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder of this platform's prebuilt addon. */
    prebuilt: string
    /** The packages of the release, as far as their binaries are here. */
    packages: readonly Tarball[]
    registry: string
    /** The packages and all that they depend on. */
    tarballs: readonly string[]
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const prebuilt = await prebuild()
  const { tarballs } = await pack()
  const files = tarballs.map(({ file }) => file)
  const registry = await startRegistry(files, resolve('build/packages-of-others'))
  project.provide('prebuilt', prebuilt)
  project.provide('packages', tarballs)
  project.provide('registry', registry.url)
  project.provide('tarballs', registry.tarballs)
  return () => registry.close()
}
