// What a release does with packages, as far as it can be told without publishing any.

import { describe, expect, it } from 'vitest'
import { platforms } from '../../lib/runtime/platform.ts'
import {
  cudaManifest,
  platformManifest,
  publishedManifest,
  withRepository,
} from '../../scripts/pack/manifests.ts'
import { inOrder, tagOf } from '../../scripts/pack/publish.ts'

const main = {
  name: 'tintype',
  version: '1.2.3',
  license: 'MIT',
  engines: { node: '>=20' },
  scripts: { x: 'y' },
}

describe('publishing', () => {
  it('ends with the main package', () => {
    const packages = ['tintype', '@tintype/linux-x64', '@tintype/cuda-linux-x64'].map((name) => ({
      ...{ name, version: '1.2.3', file: '' },
    }))
    expect(inOrder(packages).map(({ name }) => name)).toEqual([
      '@tintype/linux-x64',
      '@tintype/cuda-linux-x64',
      'tintype',
    ])
  })

  it('gives prereleases a tag of their own', () => {
    expect([tagOf('1.2.3'), tagOf('1.2.3-rc.1')]).toEqual(['latest', 'next'])
  })
})

describe('the manifests', () => {
  const named = withRepository(main, 'someone/tintype')
  const binaries = [
    ...platforms.map((one) => platformManifest(named, one)),
    cudaManifest(named, platforms[0]!),
  ]

  it('name the repository that the workflow runs in, and keep one that is there', () => {
    for (const manifest of [named, ...binaries]) {
      expect(manifest.repository).toEqual({ type: 'git', url: 'git+https://github.com/someone/tintype.git' })
    }
    expect(withRepository(main, undefined)).toBe(main)
    expect(withRepository({ ...main, repository: 'x' }, 'someone/tintype').repository).toBe('x')
  })

  it('make binaries optional, CUDA an optional peer, all of one version, and run nothing', () => {
    const published = publishedManifest(named, binaries, () => '9.0.0')
    expect(published.optionalDependencies).toEqual(
      Object.fromEntries(platforms.map(({ key }) => [`@tintype/${key}`, '1.2.3'])),
    )
    expect(published.peerDependencies).toEqual({ '@tintype/cuda-linux-x64': '1.2.3' })
    expect(published.peerDependenciesMeta).toEqual({ '@tintype/cuda-linux-x64': { optional: true } })
    for (const manifest of [published, ...binaries]) expect(manifest.scripts).toBeUndefined()
  })
})
