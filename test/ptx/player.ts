// The machine that the tests of the CUDA backend play: its GPUs, its driver, and what fails when.

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { output } from './build.ts'
import { ptxPath } from './device.ts'

/** When streams do what they were asked for: see runtime/played_gpu.h. */
export const timings = ['late', 'at once', 'copies first'] as const

export interface PlayedGpu {
  readonly architecture: number
  readonly processors?: number
  /** In bytes; 8 GiB by default. */
  readonly memory?: number
  readonly timing?: (typeof timings)[number]
}

/** A call that is to fail: the `nth` from now on, and `times - 1` after it. */
export interface Fault {
  readonly call: string
  /** Of CUDA: 2 for no memory, 700 for an illegal address. */
  readonly error: number
  readonly device?: number
  readonly nth?: number
  readonly times?: number
}

export interface PlayedState {
  readonly calls: Readonly<Record<string, number>>
  /** Bytes that are allocated. */
  readonly used: number
  readonly allocations: number
  readonly pinned: number
  /** What the interpreter found, if anything. */
  readonly why: string
}

interface Player {
  add(gpu: Omit<PlayedGpu, 'timing'> & { readonly timing: number }): number
  setUp(machine: { readonly driver?: number; readonly hidden?: boolean }): void
  fail(fault: Fault): void
  of(device: number): PlayedState
}

// Before anything opens the CUDA backend. All are read once in a process.
process.env.TINTYPE_CUDA_ADDON = join(output, 'interpreted.node')
process.env.TINTYPE_PTX = ptxPath()
// One GPU is there from the start, for the child process that tries the module.
process.env.TINTYPE_PLAYED_GPUS = '80'

let loaded: Player | undefined
function player(): Player {
  loaded ??= createRequire(import.meta.url)(join(output, 'player.node')) as Player
  return loaded
}

/** A GPU that nothing has used yet: its number. */
export function addGpu(gpu: PlayedGpu = { architecture: 80 }): number {
  return player().add({ ...gpu, timing: timings.indexOf(gpu.timing ?? 'late') })
}

/** A driver of another version of CUDA (12040), or none (0); or no GPU at all. Forgets what was to fail. */
export const setUp = (machine: Parameters<Player['setUp']>[0] = {}): void => player().setUp(machine)
export const fail = (fault: Fault): void => player().fail(fault)
export const stateOf = (device: number): PlayedState => player().of(device)
