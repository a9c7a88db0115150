// Compiles the addon as it is published, for the platform that this runs on: build/prebuilt/<platform>/tintype.node.
// On Linux with glibc that takes an old glibc to link against, so that the binary loads wherever Node 20 runs. Where nvcc
// is found, the CUDA backend is compiled as well: TINTYPE_CUDA=OFF leaves it out, ON insists on it.
// usage: npm run build:prebuilt

import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { fs, which } from 'zx'
import { currentLibc, currentPlatform, platforms } from '../../lib/runtime/platform.ts'
import { probe } from '../../lib/runtime/probe.ts'
import { compileCudaKernels, cudaKernels } from '../cuda-kernels.ts'
import { glibcSysroot } from './sysroot.ts'

async function hasCuda(platform: string): Promise<boolean> {
  const wanted = process.env.TINTYPE_CUDA
  if (wanted === 'OFF') return false
  const packaged = platforms.some(({ key, cuda }) => key === platform && cuda)
  if (packaged && (await which('nvcc', { nothrow: true }))) return true
  if (wanted !== 'ON') return false
  throw new Error(
    `TINTYPE_CUDA=ON: ${packaged ? 'nvcc is not in PATH' : `there is no package for ${platform}`}.`,
  )
}

/** Missing symbols show when a module is loaded, not when it is linked. */
function expectToLoad(file: string): void {
  if (!fs.existsSync(file)) throw new Error(`The build succeeded but left no ${file}.`)
  const tested = probe(file)
  if (tested.loads) return
  throw new Error(
    `${file} does not load: ${tested.reason}. A C++ runtime that is newer than GCC 12's may ask for more than glibc 2.17 has: link on Debian 12.`,
  )
}

/** @returns the folder that holds the binary */
export async function prebuild(): Promise<string> {
  const platform = currentPlatform()
  const folder = resolve('build/prebuilt', platform)
  // Those of a release come from elsewhere, and are what is to be tested.
  if (process.env.TINTYPE_PREBUILT === 'keep') {
    expectToLoad(resolve(folder, 'tintype.node'))
    return folder
  }
  const defines = [`TINTYPE_OUT=${folder}`]
  if (currentLibc() === 'glibc') defines.push(`TINTYPE_GLIBC_SYSROOT=${await glibcSysroot(process.arch)}`)
  const cuda = await hasCuda(platform)
  defines.push(`TINTYPE_CUDA=${cuda ? 'ON' : 'OFF'}`)
  if (cuda) {
    compileCudaKernels(['fatbins'])
    defines.push(`TINTYPE_CUDA_KERNELS=${cudaKernels}`)
  }
  const options = defines.flatMap((define) => ['--define', define])
  // Without a shell: which one zx would find on Windows is anybody's guess.
  const build = ['scripts/build.mjs', '--out', 'build/cmake-prebuilt', ...options]
  const { status } = spawnSync(process.execPath, build, { stdio: 'inherit' })
  if (status !== 0) throw new Error('The native modules could not be compiled; the lines above say why.')
  expectToLoad(resolve(folder, 'tintype.node'))
  const cudaFile = resolve(folder, 'tintype_cuda.node')
  if (cuda) expectToLoad(cudaFile)
  else await fs.remove(cudaFile)
  return folder
}

if (process.argv[1] && import.meta.filename === process.argv[1]) await prebuild()
