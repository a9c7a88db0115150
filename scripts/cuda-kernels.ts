// Compiles the CUDA kernels once for all that want them: fat binaries for the package, PTX and what ptxas says of it for
// tests.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('../cmake/cuda-kernels', import.meta.url))

/** Where they lie: cmake/cuda-kernels.cmake says what is in it. */
export const cudaKernels = fileURLToPath(new URL('../build/cuda-kernels', import.meta.url))

/**
 * Where another process is at it, this one waits.
 *
 * @param targets `fatbins` with all that they are made of, `ptx_sm_80`, or files in `cudaKernels`
 */
export function compileCudaKernels(targets: readonly string[]): void {
  const defines = [`-DFOLDER=${cudaKernels}`, `-DTARGETS=${targets.join(';')}`]
  const args = [...defines, '-P', `${project}/build.cmake`]
  const { status, stdout, stderr } = spawnSync('cmake', args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error(`Compiling CUDA kernels failed\n${stdout}${stderr}`)
}
