// The package.json of each package of a release.

import type { Platform } from '../../lib/runtime/platform.ts'

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly [field: string]: unknown
}

/** npm gives provenance only to packages that name the repository they come from: on GitHub, the one of the workflow. */
export function withRepository(main: Manifest, slug = process.env.GITHUB_REPOSITORY): Manifest {
  if (main.repository !== undefined || !slug) return main
  const page = `https://github.com/${slug}`
  const repository = { type: 'git', url: `git+${page}.git` }
  return { ...main, repository, homepage: `${page}#readme`, bugs: `${page}/issues` }
}

const shared = (main: Manifest) => {
  const { version, license, repository, homepage, bugs } = main
  return Object.fromEntries(
    Object.entries({ version, license, repository, homepage, bugs }).filter(
      ([, value]) => value !== undefined,
    ),
  )
}

/** What all packages that hold one binary have in common. Yarn must not keep them zipped: dlopen takes files. */
function binaryManifest(main: Manifest, name: string, { os, cpu, libc }: Platform, file: string): Manifest {
  return {
    name,
    ...shared(main),
    version: main.version,
    type: 'commonjs',
    files: [file],
    preferUnplugged: true,
    publishConfig: { access: 'public' },
    engines: main.engines,
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
  }
}

export function platformManifest(main: Manifest, platform: Platform): Manifest {
  const { key } = platform
  const manifest = binaryManifest(main, `@tintype/${key}`, platform, 'tintype.node')
  return { ...manifest, description: `The native addon of tintype for ${key}. Installed by tintype itself.` }
}

export function cudaManifest(main: Manifest, platform: Platform): Manifest {
  const manifest = binaryManifest(main, `@tintype/cuda-${platform.key}`, platform, 'tintype_cuda.node')
  return {
    ...manifest,
    description: `The CUDA backend of tintype for ${platform.key}. Install it beside tintype.`,
  }
}

/** NVIDIA lets its runtime be passed on within a program, on its own terms. */
export const cudaNotice =
  "tintype's code is under the MIT licence (LICENSE). The file also contains NVIDIA's CUDA runtime (cudart), which is NVIDIA's and under the licence agreement of the CUDA Toolkit: https://docs.nvidia.com/cuda/eula/. The driver is not in it."

/** Tools that `npx tintype build` fetches; the published manifest names the versions that were tested. */
export const buildTools: readonly string[] = ['cmake-js', 'node-addon-api', 'node-api-headers']

/**
 * The manifest of the main package as it is published. What is different from the repository's own:
 *
 * - the binaries are optional dependencies. In the repository `npm ci` would refuse a lock file without them.
 * - the CUDA backend is an optional peer: nobody without a GPU downloads it.
 * - there are no scripts, so nothing runs at install.
 */
export function publishedManifest(
  main: Manifest,
  binaries: readonly Manifest[],
  installedVersion: (name: string) => string,
): Manifest {
  const { scripts: _, devDependencies: __, files: ___, gypfile: ____, ...kept } = main
  const [cuda, cpu] = [true, false].map((wanted) =>
    binaries.filter(({ name }) => name.startsWith('@tintype/cuda-') === wanted),
  )
  const versions = (list: readonly Manifest[]) =>
    Object.fromEntries(list.map(({ name, version }) => [name, version]))
  return {
    ...kept,
    name: main.name,
    version: main.version,
    devDependencies: Object.fromEntries(buildTools.map((name) => [name, installedVersion(name)])),
    optionalDependencies: versions(cpu!),
    ...(cuda!.length > 0 && {
      peerDependencies: versions(cuda!),
      peerDependenciesMeta: Object.fromEntries(cuda!.map(({ name }) => [name, { optional: true }])),
    }),
  }
}
