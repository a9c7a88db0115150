// Lays out the packages of a release in folders of their own and packs them.

import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { $, fs } from 'zx'
import { platforms } from '../../lib/runtime/platform.ts'
import {
  cudaManifest,
  cudaNotice,
  type Manifest,
  platformManifest,
  publishedManifest,
  withRepository,
} from './manifests.ts'

/** Limits on the tarballs, in MB: what a user downloads. */
const budgets = { main: 60, binary: 5, cuda: 15 } as const

const require = createRequire(resolve('package.json'))
/** Both binaries have it compiled in; npm packs every LICENSE with any extension. */
const addonLicence = join(dirname(require.resolve('node-addon-api/package.json')), 'LICENSE.md')

const cudaPlatforms = platforms.filter(({ cuda }) => cuda)

export interface Tarball {
  readonly name: string
  readonly file: string
  readonly megabytes: number
  readonly budget: number
}

interface Package {
  readonly manifest: Manifest
  readonly folder: string
  readonly budget: number
}

interface Release {
  readonly tarballs: readonly Tarball[]
  /** Packages that have no binary here. */
  readonly absent: readonly string[]
}

export interface PackOptions {
  /** Whether a package without a binary is an error. */
  readonly requireAll?: boolean
  readonly prebuilt?: string
  readonly out?: string
}

/**
 * @throws when a tarball is over its budget, or a platform lacks its binary and `requireAll` is set
 */
export async function pack({
  requireAll = false,
  prebuilt = resolve('build/prebuilt'),
  out = resolve('build/packages'),
}: PackOptions = {}): Promise<Release> {
  const main = withRepository((await fs.readJson('package.json')) as Manifest)
  const wanted = [
    ...platforms.map((platform) => ({
      manifest: platformManifest(main, platform),
      binary: join(prebuilt, platform.key, 'tintype.node'),
      budget: budgets.binary as number,
    })),
    ...cudaPlatforms.map((platform) => ({
      manifest: cudaManifest(main, platform),
      binary: join(prebuilt, platform.key, 'tintype_cuda.node'),
      budget: budgets.cuda as number,
    })),
  ]
  const here = wanted.filter(({ binary }) => fs.existsSync(binary))
  const absent = wanted.filter((one) => !here.includes(one)).map(({ manifest }) => manifest.name)
  if (requireAll && absent.length > 0) throw new Error(`${prebuilt} holds no binary of ${absent.join(', ')}.`)

  await fs.emptyDir(out)
  const stage = resolve(out, 'stage')
  const packages = await Promise.all(
    here.map(({ manifest, binary, budget }) => stageBinary(stage, manifest, binary, budget)),
  )
  packages.push(
    await stageMain(
      stage,
      main,
      packages.map(({ manifest }) => manifest),
    ),
  )
  const tarballs: Tarball[] = []
  for (const one of packages) tarballs.push(await packFolder(one, out))
  await fs.remove(stage)
  const heavy = tarballs.filter(({ megabytes, budget }) => megabytes > budget)
  if (heavy.length > 0) {
    const list = heavy.map(
      ({ name, megabytes, budget }) => `${name}: ${megabytes.toFixed(1)} of ${budget} MB`,
    )
    throw new Error(`Over budget: ${list.join(', ')}.`)
  }
  return { tarballs, absent }
}

async function stageBinary(
  stage: string,
  manifest: Manifest,
  binary: string,
  budget: number,
): Promise<Package> {
  const folder = join(stage, manifest.name)
  const [file] = manifest.files as string[]
  await fs.copy(binary, join(folder, file!))
  await fs.copy('LICENSE', join(folder, 'LICENSE'))
  await fs.copy(addonLicence, join(folder, 'LICENSE.node-addon-api.md'))
  const notice = file === 'tintype_cuda.node' ? `\n${cudaNotice}\n` : ''
  await fs.writeFile(join(folder, 'README.md'), `# ${manifest.name}\n\n${manifest.description}\n${notice}`)
  await fs.writeJson(join(folder, 'package.json'), manifest, { spaces: 2 })
  return { manifest, folder, budget }
}

/** `files` of package.json says what is published, but for what was compiled here: that is for git dependencies. */
async function stageMain(stage: string, main: Manifest, binaries: readonly Manifest[]): Promise<Package> {
  const folder = join(stage, main.name)
  const listed = await $`npm pack --dry-run --json --ignore-scripts --silent`
  // npm 11 gives an object by package names, earlier ones a list.
  const [{ files }] = Object.values(JSON.parse(listed.stdout)) as [{ files: { path: string }[] }]
  for (const { path } of files) {
    if (!/^(build|dist)\//.test(path)) await fs.copy(path, join(folder, path))
  }
  const manifest = publishedManifest(main, binaries, (name) => require(`${name}/package.json`).version)
  await fs.writeJson(join(folder, 'package.json'), manifest, { spaces: 2 })

  // Compiled from the sources that are packed, so that the maps point to them and nothing stale comes along.
  const configs = ['tsconfig.json', 'tsconfig.build.json']
  for (const config of configs) await fs.copy(config, join(folder, config))
  await $`node scripts/dist.mjs ${folder}`
  for (const config of configs) await fs.remove(join(folder, config))
  return { manifest, folder, budget: budgets.main }
}

async function packFolder({ manifest, folder, budget }: Package, out: string): Promise<Tarball> {
  const packed = await $({ cwd: folder })`npm pack --ignore-scripts --silent --pack-destination ${out}`
  const file = join(out, packed.stdout.trim().split('\n').at(-1)!)
  const { size } = await fs.stat(file)
  return { name: manifest.name, file, megabytes: size / 1e6, budget }
}
