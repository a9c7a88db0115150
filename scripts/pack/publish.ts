// Publishes the tarballs in build/packages with provenance: the binaries first, the main package last, so that whoever
// installs it finds what it names. What is published already is left out, so that a release that broke off can go on.
// usage: npm run publish:all [-- --dry-run]

import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { $ } from 'zx'

export interface Published {
  readonly name: string
  readonly version: string
  readonly file: string
}

/** In the order of publication. */
export function inOrder(packages: readonly Published[]): Published[] {
  const isMain = ({ name }: Published) => name === 'tintype'
  return [...packages.filter((one) => !isMain(one)), ...packages.filter(isMain)]
}

/** 1.0.0-rc.1 is not what `npm install tintype` should give. */
export const tagOf = (version: string): string => (version.includes('-') ? 'next' : 'latest')

async function packagesIn(folder: string): Promise<Published[]> {
  const files = (await readdir(folder))
    .filter((file) => file.endsWith('.tgz'))
    .map((file) => join(folder, file))
  return Promise.all(
    files.map(async (file) => {
      const { name, version } = JSON.parse(
        (await $`tar -xzOf ${file} package/package.json`).stdout,
      ) as Published
      return { name, version, file }
    }),
  )
}

const isPublished = async ({ name, version }: Published) =>
  (await $({ nothrow: true })`npm view ${name}@${version} version`).stdout.trim() === version

if (process.argv[1] && import.meta.filename === process.argv[1]) {
  const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } })
  for (const one of inOrder(await packagesIn(resolve('build/packages')))) {
    const options = ['--access', 'public', '--tag', tagOf(one.version)]
    if (values['dry-run']) {
      console.log(`would publish ${one.name}@${one.version} as ${tagOf(one.version)}`)
    } else if (await isPublished(one)) {
      console.log(`is published: ${one.name}@${one.version}`)
    } else {
      await $({ stdio: 'inherit' })`npm publish ${one.file} --provenance ${options}`
    }
  }
}
