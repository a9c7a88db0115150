// Where a pipeline computes: which addon, which of its devices, and in what precision.

import { TintypeError } from '../errors.ts'
import type { HalfPrecision } from '../graph/lower-precision.ts'
import { callNative, type Native, native } from './binding.ts'
import { cudaNative } from './cuda-binding.ts'

/**
 * What a GPU computes in: activations and weights in `f16` or `bf16` with sums in float32, or `fast`: `f16` whose matrix
 * products and convolutions are summed in fp16, 32 products at a time. GeForce cards do those at twice the rate.
 */
export type Precision = 'f16' | 'bf16' | 'fast'

const precisions: readonly Precision[] = ['f16', 'bf16', 'fast']

/** How activations and weights are stored. */
export const elementTypeOf = (precision: Precision): HalfPrecision =>
  precision === 'fast' ? 'f16' : precision

/** `cpu`, `cuda` (the first GPU) or `cuda:1`. */
export type DeviceName = 'cpu' | 'cuda' | `cuda:${number}`

export interface Target {
  /** `cpu` or `cuda:0`. */
  readonly name: string
  /** As its manufacturer calls it; undefined for the CPU. */
  readonly description: string | undefined
  readonly addon: () => Native
  /** Position among the devices of the addon. */
  readonly device: number
  /** Undefined for float32. */
  readonly precision: Precision | undefined
}

export interface TargetOptions {
  readonly device?: DeviceName | undefined
  readonly precision?: Precision | undefined
}

export const cpu: Target = {
  ...{ name: 'cpu', description: undefined, addon: native },
  ...{ device: 0, precision: undefined },
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
      `precision: expected "f16", "bf16" or "fast", got ${JSON.stringify(precision)}.`,
    )
  }
  if (device === 'cpu') {
    if (precision === undefined) return cpu
    throw new TintypeError(
      'INVALID_ARGUMENT',
      `precision: the CPU computes in float32, ${JSON.stringify(precision)} is for GPUs.`,
    )
  }
  const number = /^cuda(?::(\d+))?$/.exec(String(device))
  if (!number) {
    throw new TintypeError(
      'INVALID_ARGUMENT',
      `device: expected "auto", "cpu", "cuda" or "cuda:1", got ${JSON.stringify(device)}.`,
    )
  }
  const index = Number(number[1] ?? 0)
  const gpus = callNative((addon) => addon.devices(), cudaNative())
  if (index >= gpus.length) {
    const there = gpus.length === 1 ? 'there is one GPU' : `there are ${gpus.length} GPUs`
    throw new TintypeError('DEVICE_UNAVAILABLE', `There is no device cuda:${index}: ${there}.`)
  }
  const { name, description, isa } = gpus[index]!
  if (precision === 'bf16' && isa === 'sm_75') {
    throw new TintypeError(
      'DEVICE_UNAVAILABLE',
      `${name} (${description}, ${isa}) does not compute in bf16.`,
      {
        advice: 'precision: "f16" and "fast" work on it; bf16 wants Ampere (sm_80) or later.',
      },
    )
  }
  return { name, description, addon: cudaNative, device: index, precision: precision ?? 'f16' }
}
