// Compiles the addon as it is published, for the platform that this runs on: build/prebuilt/<platform>/tintype.node.
// On Linux with glibc that takes an old glibc to link against, so that the binary loads wherever Node 20 runs. Where nvcc
// is found, the CUDA backend is compiled as well (TINTYPE_CUDA=OFF leaves it out).
// usage: npm run build:prebuilt

import { resolve } from 'node:path'
import { $, fs, which } from 'zx'
import { currentLibc, currentPlatform } from '../../lib/runtime/platform.ts'
import { glibcSysroot } from './sysroot.ts'

/** @returns the folder that holds the binary */
export async function prebuild(): Promise<string> {
  const platform = currentPlatform()
  const folder = resolve('build/prebuilt', platform)
  const defines = [`TINTYPE_OUT=${folder}`]
  if (currentLibc() === 'glibc') defines.push(`TINTYPE_GLIBC_SYSROOT=${await glibcSysroot(process.arch)}`)
  const hasCuda =
    platform === 'linux-x64' && process.env.TINTYPE_CUDA !== 'OFF' && (await which('nvcc', { nothrow: true }))
  if (hasCuda) defines.push('TINTYPE_CUDA=ON')
  const options = defines.flatMap((define) => ['--define', define])
  await $({ stdio: 'inherit' })`node scripts/build.mjs --out build/cmake-prebuilt ${options}`
  if (!(await fs.pathExists(resolve(folder, 'tintype.node'))))
    throw new Error(`The build succeeded but left no ${folder}/tintype.node.`)
  return folder
}

if (process.argv[1] && import.meta.filename === process.argv[1]) await prebuild()
