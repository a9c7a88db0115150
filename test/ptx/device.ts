// The addon of the interpreted device.

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { cudaKernels } from '../../scripts/cuda-kernels.ts'
import { output } from './build.ts'

/** What a launch did, as the interpreter counted it. */
export interface Launched {
  readonly kernel: string
  readonly threadInstructions: number
  readonly warpInstructions: Readonly<Record<string, number>>
  readonly sharedWavefronts: number
  readonly sharedIdeal: number
  readonly globalSectors: number
  readonly globalIdeal: number
}

/** What the host part of an op decided to launch. */
export interface PlannedLaunch {
  readonly kernel: string
  readonly blocks: number
  readonly threads: number
  /** Asked for at launch, beside what the kernel declares. */
  readonly sharedBytes: number
}

/** A tensor map of a buffer, whose boxes have so many rows (kernels/cuda/tensor_map.h). */
export type TensorMap = {
  /** Its number among those of the launch. */
  readonly buffer: number
  readonly boxRows: number
} & (RowsSize | PatchSize)

export interface RowsSize {
  readonly rows: number
  readonly columns: number
}

export type PatchSize = Readonly<
  Record<'n' | 'h' | 'w' | 'c' | 'ho' | 'wo' | 'kh' | 'kw' | 'stride' | 'padTop' | 'padLeft', number>
>

interface Target {
  /** A kernel is looked for in one after the other. */
  readonly folders: readonly string[]
  readonly architecture: number
  readonly processors: number
  readonly isFast: boolean
  readonly element: number
  readonly order: number
}

interface Addon {
  launch(
    path: string,
    kernel: string,
    blocks: number,
    threads: number,
    sharedBytes: number,
    order: number,
    buffers: readonly Uint8Array[],
    maps?: readonly (TensorMap | null)[],
  ): void
  runOp(
    target: Target,
    words: Uint32Array,
    operands: readonly { readonly bytes: Uint8Array; readonly dtype: number }[],
  ): Launched[]
  launchesOf(architecture: number, processors: number, words: Uint32Array, isFast?: boolean): PlannedLaunch[]
}

export const orders = ['forward', 'reverse', 'random'] as const

let addon: Addon | undefined

/** The addon, which exists only where it could be built. */
export function device(): Addon {
  addon ??= createRequire(import.meta.url)(join(output, 'device.node')) as Addon
  return addon
}

export const ptxPath = (...parts: readonly string[]) => join(cudaKernels, ...parts)
