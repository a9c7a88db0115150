// A read-only npm registry on the loopback, holding the packed packages and what they depend on: the packages that are
// installed here. Packages for other platforms are known by name, as npm needs them to be, but cannot be downloaded.

import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { $, fs } from 'zx'
import { buildTools } from '../../scripts/pack/manifests.ts'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly os?: readonly string[]
  readonly cpu?: readonly string[]
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Entry {
  readonly manifest: Manifest
  readonly tarball: string | undefined
}

async function manifestIn(tarball: string): Promise<Manifest> {
  return JSON.parse((await $`tar -xzOf ${tarball} package/package.json`).stdout) as Manifest
}

/** All packages that `names` bring with them, as package-lock.json has them. */
function closure(
  names: readonly string[],
  locked: Readonly<Record<string, Manifest>>,
): Map<string, Manifest> {
  const found = new Map<string, Manifest>()
  const waiting = [...names]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const manifest = locked[`node_modules/${name}`]
    if (found.has(name) || !manifest) continue
    found.set(name, manifest)
    waiting.push(...Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }))
  }
  return found
}

/**
 * Packs what the main package depends on, and what `tintype build` fetches, into `folder`: from node_modules, or from
 * npm's registry what fits every platform and is not installed here. What lies there already is kept.
 */
async function packDependencies(folder: string): Promise<Entry[]> {
  const { packages } = (await fs.readJson('package-lock.json')) as { packages: Record<string, Manifest> }
  const { dependencies } = (await fs.readJson('package.json')) as Manifest
  const all = [...closure([...Object.keys(dependencies!), ...buildTools], packages)]
  const tarballOf = (name: string, { version }: Manifest) =>
    join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)
  const installed = (name: string) => fs.existsSync(resolve('node_modules', name))
  // Yarn downloads what fits any platform, even where nothing that is used depends on it.
  const here = all.filter(([name, { os, cpu }]) => installed(name) || !(os || cpu))
  const toPack = here.filter(([name, manifest]) => !fs.existsSync(tarballOf(name, manifest)))
  await fs.ensureDir(folder)
  if (toPack.length > 0) {
    const sources = toPack.map(([name, { version }]) =>
      installed(name) ? resolve('node_modules', name) : `${name}@${version}`,
    )
    await $`npm pack ${sources} --ignore-scripts --silent --pack-destination ${folder}`
  }
  return Promise.all(
    all.map(async ([name, manifest]) => {
      if (!here.some(([other]) => other === name))
        return { manifest: { ...manifest, name }, tarball: undefined }
      const tarball = tarballOf(name, manifest)
      return { manifest: await manifestIn(tarball), tarball }
    }),
  )
}

export interface Registry {
  readonly url: string
  /** Every tarball that it serves. */
  readonly tarballs: readonly string[]
  close(): Promise<void>
}

function document({ manifest, tarball }: Entry, url: string, integrity: string | undefined) {
  // As npm's registry names them: another name becomes part of the folders that Plug'n'Play makes, by which sharp's binary
  // finds its libraries.
  const { name, version } = manifest
  const dist = {
    tarball: `${url}${name}/-/${name.split('/').at(-1)}-${version}.tgz`,
    ...(integrity && { integrity }),
  }
  return {
    name,
    'dist-tags': { latest: version },
    versions: {
      [version]: { ...manifest, dist: tarball ? dist : { ...dist, shasum: '0'.repeat(40) } },
    },
  }
}

/** Serves `packed`, the tarballs of a release, and their dependencies. */
export async function startRegistry(packed: readonly string[], cache: string): Promise<Registry> {
  const ours = await Promise.all(
    packed.map(async (tarball) => ({ manifest: await manifestIn(tarball), tarball })),
  )
  const entries = new Map(
    [...ours, ...(await packDependencies(cache))].map((one) => [one.manifest.name, one]),
  )
  const integrities = new Map<string, string>()
  for (const { manifest, tarball } of entries.values()) {
    if (!tarball) continue
    const digest = createHash('sha512')
      .update(await fs.readFile(tarball))
      .digest('base64')
    integrities.set(manifest.name, `sha512-${digest}`)
  }

  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').split('?')[0]!.slice(1))
    const [name, file] = path.split('/-/')
    const entry = entries.get(name!)
    if (!entry || (file && !entry.tarball)) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}')
    } else if (file) {
      fs.createReadStream(entry.tarball!).pipe(response)
    } else {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(document(entry, url, integrities.get(name!))))
    }
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return {
    url,
    tarballs: [...entries.values()].flatMap(({ tarball }) => tarball ?? []),
    close: () => new Promise((done, fail) => server.close((error) => (error ? fail(error) : done()))),
  }
}
