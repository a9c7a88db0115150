// Builds the interpreted device and the kernels it runs before its tests do. Without nvcc there is none, and the tests
// say so.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { compileCudaKernels } from '../../scripts/cuda-kernels.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Why there is no interpreted device, or an empty string. */
    readonly ptxMissing: string
  }
}

/** What TINTYPE_PTX_ELEMENTS names of the precisions, `f16` or `bf16,fast`; by default all. */
export const elementTypes: readonly string[] = (process.env.TINTYPE_PTX_ELEMENTS ?? 'f16,bf16,fast').split(
  ',',
)

/** What TINTYPE_PTX_ARCHITECTURES names of the architectures, `80` or `75,80`; by default all. */
export const architectures: readonly number[] = (
  process.env.TINTYPE_PTX_ARCHITECTURES ?? '75,80,86,89,90,120'
)
  .split(',')
  .map(Number)

const here = fileURLToPath(new URL('.', import.meta.url))
export const output = fileURLToPath(new URL('../../build/ptx', import.meta.url))

const has = (tool: string) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0

/** Why there can be no interpreted device, or an empty string. */
export function missing(): string {
  if (process.env.TINTYPE_CUDA === 'OFF') return 'TINTYPE_CUDA is OFF'
  if (process.arch !== 'x64') return 'the interpreter needs AVX2, which this machine lacks'
  if (!has('nvcc')) return 'nvcc was not found'
  return ''
}

function run(command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed\n${stdout}${stderr}`)
}

/** The ledger alone needs machine code, and that for every architecture. */
const allKernels = process.env.TINTYPE_PTX_ARCHITECTURES
  ? architectures.map((architecture) => `ptx_sm_${architecture}`)
  : ['fatbins']

/** @param kernels what is compiled of the kernels; by default all, or without machine code where architectures are named */
export function build(kernels: readonly string[] = allKernels): void {
  compileCudaKernels(kernels)
  const generator = has('ninja') ? ['-G', 'Ninja'] : []
  run('cmake', ['-S', here, '-B', output, ...generator])
  run('cmake', ['--build', output, '--parallel', '2'])
}

export default function setup(project: TestProject): void {
  const reason = missing()
  project.provide('ptxMissing', reason)
  if (reason) {
    if (process.env.TINTYPE_CUDA === 'ON') throw new Error(`TINTYPE_CUDA is ON, but ${reason}`)
    console.warn(`CUDA kernels are not tested: ${reason}`)
    return
  }
  build(process.env.TINTYPE_PTX_KERNELS?.split(','))
}
