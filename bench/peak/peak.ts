// Compiles and runs peak.cc: what shares of peak are shares of, measured in the same run as the kernels.

import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { BenchError } from '../errors.ts'

const execute = promisify(execFile)
const source = fileURLToPath(new URL('peak.cc', import.meta.url))

export interface Peak {
  readonly threads: number
  /** Fused multiply-adds in float32, counted as two operations each. */
  readonly gflops: number
  /** Bytes read and bytes written, of a copy far larger than the caches. */
  readonly copyGBs: number
}

/**
 * The peak of this machine for so many threads; takes a few seconds.
 *
 * @throws BenchError where there is no C++ compiler
 */
export async function measurePeak(threads: number): Promise<Peak> {
  const compiler = process.env.CXX ?? 'c++'
  const native = process.arch === 'arm64' ? '-mcpu=native' : '-march=native'
  const folder = await mkdtemp(join(tmpdir(), 'tintype-peak-'))
  const program = join(folder, 'peak')
  const flags = ['-std=c++20', '-O3', native, '-ffp-contract=fast', '-pthread']
  try {
    await execute(compiler, [...flags, source, '-o', program])
    const { stdout } = await execute(program, [String(threads)])
    return { threads, ...(JSON.parse(stdout) as Omit<Peak, 'threads'>) }
  } catch (error) {
    throw new BenchError(
      `The peak of this machine could not be measured: ${(error as Error).message.trim()}.`,
      `Shares of peak need a C++20 compiler: name one in the environment variable CXX.`,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
