// Where a pipeline computes: which addon, which of its devices, and in what precision.

import { TintypeError } from '../errors.ts'
import type { HalfPrecision } from '../graph/lower-precision.ts'
import { show } from '../show.ts'
import { callNative, type Native, native } from './binding.ts'
import { cudaNative } from './cuda-binding.ts'
import { type DeviceInfo, devices } from './device.ts'

/**
 * What a GPU computes in: activations and weights in `f16` or `bf16` with sums in float32, or `fast`: `f16` whose matrix
 * products and convolutions are summed in fp16, 32 products at a time. GeForce cards do those at twice the rate.
 */
export type GpuPrecision = 'f16' | 'bf16' | 'fast'

/**
 * What a GPU computes in, or how the CPU, which computes in float32, keeps matrices: `int8`, or `bf16`, in which it
 * multiplies them too.
 */
export type Precision = GpuPrecision | 'int8'

/** How the CPU keeps matrices: as they are stored, or rounded when they are read. */
export type Matrices = 'stored' | 'int8' | 'bf16'

const precisions: readonly Precision[] = ['f16', 'bf16', 'fast', 'int8']

/** How activations and weights are stored. */
export const elementTypeOf = (precision: GpuPrecision): HalfPrecision =>
  precision === 'fast' ? 'f16' : precision

/** `cpu`, `cuda` (the first GPU) or `cuda:1`. */
export type DeviceName = 'cpu' | 'cuda' | `cuda:${number}`

export interface Target {
  /** `cpu` or `cuda:0`. */
  readonly name: string
  /** As its manufacturer calls it; undefined for the CPU. */
  readonly description: string | undefined
  readonly addon: () => Native
  /** Whether convolutions gain by Winograd's tiles of 6x6. */
  readonly largeTiles: () => boolean
  /** Position among the devices of the addon. */
  readonly device: number
  /** Undefined for float32, in which the CPU computes. */
  readonly precision: GpuPrecision | undefined
  /** `stored` on a GPU, which keeps them in what it computes in. */
  readonly matrices: Matrices
}

export interface TargetOptions {
  readonly device?: DeviceName | undefined
  readonly precision?: Precision | undefined
}

/** What a core keeps of tiles of 6x6 takes 1 MB of cache: there they were measured to gain, with AVX-512 and with AVX2. */
export const takesLargeTiles = ({ isa, l2Bytes }: Pick<DeviceInfo, 'isa' | 'l2Bytes'>): boolean =>
  ['avx512', 'avx2'].includes(isa) && l2Bytes >= 2 ** 20

export const cpu: Target = {
  ...{ name: 'cpu', description: undefined, addon: native, largeTiles: () => takesLargeTiles(devices()[0]!) },
  ...{ device: 0, precision: undefined, matrices: 'stored' },
}

/**
 * The GPUs of this machine, each at its number.
 *
 * @throws TintypeError `DEVICE_UNAVAILABLE` with the reason where there is none
 */
export const gpus = (): readonly DeviceInfo[] => callNative((addon) => addon.devices(), cudaNative())

const int8IsForTheCpu = (device: string) =>
  new TintypeError('INVALID_ARGUMENT', `precision: "int8" is for the CPU, not for ${device}.`, {
    advice: 'GPUs take "f16", "bf16" or "fast"; for int8 weights leave device out.',
  })

/**
 * How the CPU keeps matrices in a precision.
 *
 * @param cpu asked for only where it decides
 * @throws TintypeError `INVALID_ARGUMENT`; `DEVICE_UNAVAILABLE` where it does not multiply in bf16
 */
export function matricesOf(
  precision: Precision | undefined,
  cpu: () => Pick<DeviceInfo, 'description' | 'isa' | 'bf16'>,
): Matrices {
  if (precision === undefined) return 'stored'
  if (precision === 'int8') return precision
  if (precision !== 'bf16') {
    throw new TintypeError(
      'INVALID_ARGUMENT',
      `precision: the CPU computes in float32, ${show(precision)} is for GPUs.`,
      { advice: 'Leave it out, or take "bf16" for speed or "int8" for weights in half the memory.' },
    )
  }
  const { description, isa, bf16 } = cpu()
  if (bf16) return precision
  throw new TintypeError(
    'DEVICE_UNAVAILABLE',
    `The kernels in use (${isa}, ${description}) do not multiply in bf16.`,
    {
      advice:
        'That takes AVX512-BF16, and on Windows it is not to be had. Leave precision out, or take "int8" for weights in half the memory.',
    },
  )
}

/**
 * What the options mean on this machine.
 *
 * @throws TintypeError `INVALID_ARGUMENT`; `DEVICE_UNAVAILABLE` with the reason
 */
export function targetOf({ device = 'cpu', precision }: TargetOptions): Target {
  if (precision !== undefined && !precisions.includes(precision)) {
    throw new TintypeError(
      'INVALID_ARGUMENT',
      `precision: expected "f16", "bf16", "fast" or "int8", got ${show(precision)}.`,
    )
  }
  if (device === 'cpu') return { ...cpu, matrices: matricesOf(precision, () => devices()[0]!) }
  const number = typeof device === 'string' ? /^cuda(?::(\d+))?$/.exec(device) : null
  if (!number) {
    throw new TintypeError(
      'INVALID_ARGUMENT',
      `device: expected "auto", "cpu", "cuda" or "cuda:1", got ${show(device)}.`,
    )
  }
  if (precision === 'int8') throw int8IsForTheCpu(device)
  const index = Number(number[1] ?? 0)
  const all = gpus()
  if (index >= all.length) {
    const there = all.length === 1 ? 'there is one GPU' : `there are ${all.length} GPUs`
    throw new TintypeError('DEVICE_UNAVAILABLE', `There is no device cuda:${index}: ${there}.`)
  }
  const { name, description, isa } = all[index]!
  if (precision === 'bf16' && isa === 'sm_75') {
    throw new TintypeError(
      'DEVICE_UNAVAILABLE',
      `${name} (${description}, ${isa}) does not compute in bf16.`,
      {
        advice: 'precision: "f16" and "fast" work on it; bf16 wants Ampere (sm_80) or later.',
      },
    )
  }
  return {
    ...{ name, description, addon: cudaNative, largeTiles: () => false, device: index },
    ...{ precision: precision ?? 'f16', matrices: 'stored' },
  }
}
