// An old glibc to link prebuilt binaries against: 2.17 (2012), as packages of napi-rs's cross toolchains hold it. Of a
// toolchain only these libraries are used; the compiler stays this machine's.

import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { $, fs } from 'zx'

interface Toolchain {
  readonly spec: string
  readonly integrity: string
  readonly triple: string
}

const toolchains: Readonly<Record<string, Toolchain>> = {
  x64: {
    spec: '@napi-rs/cross-toolchain-x64-target-x86_64@1.0.0',
    integrity:
      'sha512-lecoghCfoTAX9MLFcIx9/nL9M8xdkZ9n8Pki8qjKUNzjiq1zbECdEbzIZAMMHRtrXxifK9dAyYuh8gSxNbr2og==',
    triple: 'x86_64-unknown-linux-gnu',
  },
  arm64: {
    spec: '@napi-rs/cross-toolchain-x64-target-aarch64@1.0.3',
    integrity:
      'sha512-EMFcy/ahFsmCY3BI1tMC3wRUYZ+cDuILg7nP1micaKXW1tO1+RvUB1CC6QYe+cv2W4Tuz9wr3qcFExWyjgWf2w==',
    triple: 'aarch64-unknown-linux-gnu',
  },
}

/**
 * The folder of the sysroot in build/, fetched once through npm (49 MB) and checked against its known digest.
 *
 * @throws where there is none for this architecture, npm cannot fetch it or the digest differs
 */
export async function glibcSysroot(architecture: string): Promise<string> {
  const toolchain = toolchains[architecture]
  if (!toolchain) throw new Error(`No old glibc is known for linux-${architecture}: expected x64 or arm64.`)
  const { spec, integrity, triple } = toolchain
  const folder = resolve('build/sysroot', `${architecture}-${integrity.slice(7, 19).replace(/\W/g, '_')}`)
  if (await fs.pathExists(folder)) return resolve(folder, triple, 'sysroot')

  const partial = `${folder}.partial-${process.pid}`
  await fs.ensureDir(partial)
  try {
    const packed = await $`npm pack ${spec} --ignore-scripts --silent --pack-destination ${partial}`
    const tarball = resolve(partial, packed.stdout.trim().split('\n').at(-1)!)
    const digest = `sha512-${createHash('sha512')
      .update(await fs.readFile(tarball))
      .digest('base64')}`
    if (digest !== integrity)
      throw new Error(`${spec}: expected ${integrity}, got ${digest}. Nothing was unpacked.`)
    await $`tar -xzf ${tarball} -C ${partial} --strip-components=1`
    const libraries = ['lib', 'usr/lib'].map((name) => `./${triple}/sysroot/${name}`)
    await $`tar -xJf ${`${partial}/${triple}.tar.xz`} -C ${partial} ${libraries}`
    for (const name of await fs.readdir(partial)) {
      if (/\.(tgz|xz)$/.test(name)) await fs.remove(resolve(partial, name))
    }
    await fs.move(partial, folder)
  } finally {
    await fs.remove(partial)
  }
  return resolve(folder, triple, 'sysroot')
}
